/** Has this browser told while no page is open in it, for as long as one is signed in here. */
import { api } from "chat/api";

const DONE = "push-subscribed";

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

/** Once a tab and person: after signing in anew it is another sign-in that it hangs on. */
export async function keepSubscribed(me) {
  if (globalThis.Notification?.permission !== "granted" || sessionStorage.getItem(DONE) === String(me)) return;
  sessionStorage.setItem(DONE, me);
  await subscribe().catch((error) => console.warn("There is no push:", error.message));
}
