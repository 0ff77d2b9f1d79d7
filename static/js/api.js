/** The HTTP API, with the session's cookie. */

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? "That did not work. Try again in a moment.");
    this.status = status;
    this.code = error?.code;
  }
}

export function csrf() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** The JSON answered, or null where there is none. Throws ApiError. */
export async function api(path, { method = "GET", body } = {}) {
  const response = await fetch(`/api/v1/${path}`, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrf() },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer?.error);
  return answer;
}

/** Send a file, told how far it has come (0 to 1). Returns `{done, cancel}`. */
export function upload(path, file, progress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () =>
      request.status < 300 ? resolve(request.response) : reject(new ApiError(request.status, request.response?.error));
    request.onerror = () => reject(new ApiError(0, { message: "The connection was lost." }));
  });
  request.open("POST", `/api/v1/${path}`);
  request.setRequestHeader("X-CSRFToken", csrf());
  const form = new FormData();
  form.set("file", file);
  request.send(form);
  return { done, cancel: () => request.abort() };
}
