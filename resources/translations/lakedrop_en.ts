<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>CloseDialog</name>
    <message numerus="yes">
        <source>%n upload(s) still running</source>
        <translation>
            <numerusform>%n upload still running</numerusform>
            <numerusform>%n uploads still running</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ConnectionsPage</name>
    <message numerus="yes">
        <source>%n upload(s) still use it and would stop.</source>
        <translation>
            <numerusform>%n upload still uses it and would stop.</numerusform>
            <numerusform>%n uploads still use it and would stop.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n upload(s) under way stay with the server before, and need its key again.</source>
        <translation>
            <numerusform>%n upload under way stays with the server before, and needs its key again.</numerusform>
            <numerusform>%n uploads under way stay with the server before, and need its key again.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Formats</name>
    <message numerus="yes">
        <source>%n file(s)</source>
        <translation>
            <numerusform>%n file</numerusform>
            <numerusform>%n files</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Sentences</name>
    <message numerus="yes">
        <source>%n file(s)</source>
        <translation>
            <numerusform>%n file</numerusform>
            <numerusform>%n files</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StartQuestions</name>
    <message numerus="yes">
        <source>This server may refuse %n file(s):</source>
        <translation>
            <numerusform>This server may refuse %n file:</numerusform>
            <numerusform>This server may refuse %n files:</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>This server will refuse %n file(s):</source>
        <translation>
            <numerusform>This server will refuse %n file:</numerusform>
            <numerusform>This server will refuse %n files:</numerusform>
        </translation>
    </message>
</context>
</TS>
