/** Has this browser told while no page is open in it, for as long as one is signed in here. */
import { api } from "chat/api";
import { keysOf } from "chat/outbox";

const DONE = "push-subscribed";

// Nobody is signed in here now: the next sign-in is another one for it to hang on.
if (document.body.dataset.page === "login") keysOf(sessionStorage, `${DONE}:`).forEach((key) => sessionStorage.removeItem(key));

export async function subscribe() {
  const registration = await navigator.serviceWorker?.ready;
  if (!registration?.pushManager) return;
  const { key } = await api("me/push/");
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  const known = await registration.pushManager.getSubscription();
  const subscription = await registration.pushManager.subscribe(wanted).catch(async () => {
    // It was made with another key of the site.
    await known?.unsubscribe();
    return registration.pushManager.subscribe(wanted);
  });
  const { endpoint, keys } = subscription.toJSON();
  await api("me/push/", { method: "POST", body: { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } } });
}

/** Once a tab and sign-in. */
export async function keepSubscribed(me) {
  const done = `${DONE}:${me}`;
  if (globalThis.Notification?.permission !== "granted" || sessionStorage.getItem(done) !== null) return;
  try {
    await subscribe();
    sessionStorage.setItem(done, "");
  } catch (error) {
    console.warn("There is no push:", error.message);
  }
}
