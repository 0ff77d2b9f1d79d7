/** By HTTP, as who wrote it and as nobody else: the browser may have come to be another's. */
import { api } from "chat/api";

/** Says it in the room as `user`. Throws ApiError; 401 where nobody, or somebody else, is signed in by now. */
export async function postAs(user, room, post, signal) {
  try {
    return await api(`rooms/${room}/messages/`, { method: "POST", body: post, signal });
  } catch (error) {
    if (error.status === 403) await mustBe(user);
    throw error;
  }
}

/** Throws ApiError 401 where nobody, or somebody else, is signed in by now. */
export async function mustBe(user) {
  const { id } = await api("me/");
  if (id !== user) throw Object.assign(new Error("Somebody else is signed in."), { status: 401 });
}
