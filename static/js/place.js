/** What changes a room on the page as a whole: its head, its foot, its people. */
import { peopleOf } from "chat/page";
import { fetchPage, renewPlace } from "chat/refresh";

/** Keep up with its news. Calls `moved()` where one has become somebody else there, or what is shown can only be had anew. */
export function keepUp(place, { moved }) {
  let told = false;

  async function renew({ everybody = false } = {}) {
    const { response, page } = await fetchPage(place.url);
    if (!response.ok || response.redirected || place.signal.aborted) return;
    if (everybody) place.people.start(peopleOf(page), Number(page.body.dataset.participants));
    renewPlace(place, page);
  }

  // What was missed of the room and its people while the line was cut: the page knows.
  place.on("synced", () => {
    if (told) renew({ everybody: true });
    told = true;
  });

  place.on("outdated", () => moved());

  place.on("room", ({ changed }) => changed && Object.keys(changed).length && renew());

  place.on("joined", ({ me: seat }) => {
    if (seat.role !== place.role) moved();
    else if (told) renew();
    told = true;
  });
}
