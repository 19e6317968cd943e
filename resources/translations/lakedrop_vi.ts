<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="vi" sourcelanguage="en">
<context>
    <name>CloseDialog</name>
    <message numerus="yes">
        <source>%n upload(s) still running</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Do not close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep uploading in the background</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep uploading in the background, or pause? What is paused goes on when you open LakeDrop again and press Resume. Nothing is lost either way.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause and close</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ErrorPresenter</name>
    <message>
        <source>Check the network and the connection&apos;s address, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Is it still there, and may you read it? Then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Is the address of the connection the right one?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Is the disk full? Make space, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It takes no more right now. Try again in a while.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Its log has the details.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LakeDrop goes on trying.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LakeDrop has no place for its things</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LakeDrop met a fault of its own</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>LakeDrop starts it again; the queue is kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename the file, or leave it out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>See to it on the Connections page, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Space must be made there first; then go on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>That cannot be done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The API key is not accepted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The connection cannot be used</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file cannot be read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file changed while it was read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The local lake does not start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server cannot be reached</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server does not know this sync</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server does not take this file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server has no space left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server is busy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server refused</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server stored other bytes than were sent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The server&apos;s answer makes no sense</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The sync has already ended</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The upload engine does not start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The upload engine stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The upload queue cannot be written</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The window cannot be opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again once nothing writes to it any more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again; if it stays so, tell whoever runs the server.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Type the right key on the Connections page, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Upload as a new job.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Upload what is missing as a new job.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Formats</name>
    <message numerus="yes">
        <source>%n file(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>{0} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{0} d {1} h</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{0} files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{0} h {1} min</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{0} min {1} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{0}/s</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Connections</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File history</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sync jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Upload</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>StateTexts</name>
    <message>
        <source>Already there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finished</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Finishing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Incremental</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Local lake</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Needs attention</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paused</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Queued</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Syncing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Uploaded</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Uploading</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Verified</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Verifying</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waiting to start</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
