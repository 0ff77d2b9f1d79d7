/** What changes a room on the page as a whole: its head, its foot, its people. */
import { PATIENCE } from "chat/api";
import { peopleOf } from "chat/page";
import { fetchPage, renewPlace } from "chat/refresh";

/** Keep up with its news. Calls `moved()` where one has become somebody else there, or what is shown can only be had anew. */
export function keepUp(place, { moved }) {
  let told = false;
  /** Whether a page is being fetched; whether there were news since, which it may not have; whether it is to tell of everybody. */
  let [isFetching, isStale, everybody] = [false, false, false];

  /** What cannot be fetched now is when the line comes back. */
  async function renew() {
    isStale = true;
    if (isFetching) return;
    isFetching = true;
    let page = null;
    while (isStale) {
      isStale = false;
      page = await fetched();
    }
    isFetching = false;
    if (page && !place.signal.aborted) show(page);
  }

  async function fetched() {
    const { response, page } = await fetchPage(place.url, { signal: AbortSignal.timeout(PATIENCE) }).catch(() => ({}));
    return response?.ok && !response.redirected ? page : null;
  }

  function show(page) {
    if (everybody) place.people.start(peopleOf(page), Number(page.body.dataset.participants));
    everybody = false;
    renewPlace(place, page);
  }

  // What was missed of the room and its people while the line was cut: the page knows.
  place.on("synced", () => {
    everybody ||= told;
    if (told) renew();
    told = true;
  });

  place.on("outdated", () => moved());

  // People who come while everybody is being fetched may not be on that page.
  place.on("room", ({ changed }) => (everybody || (changed && Object.keys(changed).length)) && renew());

  place.on("joined", ({ me: seat }) => {
    if (seat.role !== place.role) moved();
    else if (told) renew();
    told = true;
  });
}
