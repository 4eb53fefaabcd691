interface Page {
  baseUrl?: string;
  token?: string;
}

/** What the page says of the Jupyter server that it is from; nothing in a page of another origin. */
function page(): Page {
  return JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}") as Page;
}

/** Where the server extension is. */
export function addressOf(path: string): string {
  const { baseUrl } = page();
  if (!baseUrl) throw new Error("this page has no Jupyter server");
  return `${baseUrl.replace(/\/?$/, "/")}celltrail/${path}`;
}

/** One request to the server extension of the Jupyter server that the page is from, under its login. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const { token } = page();
  if (token) headers.set("Authorization", `token ${token}`);
  const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  if (xsrf) headers.set("X-XSRFToken", decodeURIComponent(xsrf));
  if (init.body) headers.set("Content-Type", "application/json");
  return fetch(addressOf(path), { cache: "no-store", credentials: "same-origin", ...init, headers });
}
