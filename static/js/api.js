/** The HTTP API, with the session's cookie. */

export class ApiError extends Error {
  constructor(status, error) {
    const [detail] = Object.values(error?.details ?? {}).flat();
    super(typeof detail === "string" ? detail : (error?.message ?? "That did not work. Try again in a moment."));
    this.status = status;
    this.code = error?.code;
    this.details = error?.details;
    this.retryable = error?.retryable ?? true;
  }
}

/** Milliseconds after which an answer is waited for no longer, where something waits for it. */
export const PATIENCE = 20_000;

/**
 * The page's, or, where that was made for everybody, what the cookie said when it was first asked
 * for: it changes when somebody else signs in, and what is sent then is not theirs.
 */
const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? /(?:^|; )chat_csrf=([^;]*)/.exec(document.cookie)?.[1] ?? "";

export function csrf() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? token;
}

/** Nothing came, or not all of it: whether it was done is not known. */
const lost = () => new ApiError(0, { message: "The connection was lost.", retryable: true });

/** The JSON answered, or null where there is none. Throws ApiError; one whose status is 0 where no whole answer came. */
export async function api(path, { method = "GET", body, signal } = {}) {
  const response = await fetch(`/api/v1/${path}`, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrf() },
    body: body && JSON.stringify(body),
    signal,
  }).catch(() => {
    throw lost();
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer?.error);
  if (!answer && response.status !== 204) throw lost();
  return answer;
}

/** Send a file, told how far it has come (0 to 1). Returns `{done, cancel}`. */
export function upload(path, file, progress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 300) reject(new ApiError(request.status, request.response?.error));
      else if (!request.response) reject(lost());
      else resolve(request.response);
    };
    request.onerror = () => reject(lost());
  });
  request.open("POST", `/api/v1/${path}`);
  request.setRequestHeader("X-CSRFToken", csrf());
  const form = new FormData();
  form.set("file", file);
  request.send(form);
  return { done, cancel: () => request.abort() };
}
