/** What the server tells while no page is open, and where a click on it leads. */
"use strict";
{
  const here = (path) => new URL(path, self.location.origin);

  /** A push must show something, whatever it holds: or browsers take the right to push away. */
  const read = (told) => {
    try {
      return told.json();
    } catch {
      return {};
    }
  };

  const show = async (told) => {
    const { title, body, tag, url } = read(told);
    await self.registration.showNotification(title ?? "Chat Manager", { body, tag, data: { url: url ?? "/notifications/" } });
  };

  const open = async (path) => {
    const address = here(path);
    if (address.origin !== self.location.origin) return;
    const pages = await self.clients.matchAll({ type: "window" });
    const page = pages.find((each) => new URL(each.url).pathname === address.pathname) ?? pages[0];
    if (!page) return self.clients.openWindow(address);
    await page.focus();
    await page.navigate(address);
  };

  self.addEventListener("push", (event) => event.waitUntil(show(event.data)));
  self.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(open(event.notification.data?.url ?? "/notifications/"));
  });
}
