// Requests to the server. The token is in the part of the address that browsers send to nobody.

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", "/");
}
const token = sessionStorage.getItem("token") ?? "";

export class RequestError extends Error {
  constructor(status, answer) {
    super(typeof answer.detail === "string" ? answer.detail : (answer.detail ?? []).map((each) => each.msg).join("; "));
    this.status = status; // 0: the server cannot be reached
    this.answer = answer;
  }
}

async function request(method, path, { json, body, headers } = {}) {
  const all = { Authorization: `Bearer ${token}`, ...headers };
  if (json !== undefined) {
    all["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  let response;
  try {
    response = await fetch(`/api/${path}`, { method, headers: all, body });
  } catch {
    throw new RequestError(0, { detail: "The server cannot be reached." });
  }
  if (!response.ok) throw new RequestError(response.status, await response.json().catch(() => ({ detail: response.statusText })));
  return response;
}

export const frameOf = ({ id, index }) => `files/${id}/frames/${index}`;

export async function get(path) {
  return (await request("GET", path)).json();
}

export async function send(method, path, json) {
  return (await request(method, path, { json })).json();
}

export async function upload(file) {
  const headers = { "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) };
  return (await request("POST", "uploads", { body: file, headers })).json();
}

export async function blob(path) {
  return (await request("GET", path)).blob();
}

export async function picture(path) {
  return createImageBitmap(await blob(path));
}
