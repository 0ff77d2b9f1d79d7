import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { querySelector: () => null, cookie: "" };
const { postAs } = await import("../../../static/js/writer.js");

/** Whoever is signed in, where the room lets nobody post. */
function signedIn(id) {
  globalThis.fetch = async (url) =>
    url.endsWith("/me/") ? Response.json({ id }) : Response.json({ error: { code: "forbidden", retryable: false } }, { status: 403 });
}

test("what another's session refuses waits for its writer", async () => {
  signedIn(5);
  await assert.rejects(postAs(4, 7, { client_id: "a" }), { status: 401 });
});

test("what is refused to its writer is", async () => {
  signedIn(4);
  await assert.rejects(postAs(4, 7, { client_id: "a" }), { status: 403, code: "forbidden" });
});
