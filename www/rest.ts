/** Requests of the protocol that the package has no method for. */

/** The application this page belongs to, as `npm start` names it. */
export const API_KEY = 'rollcall-demo';

/** Past whatever the page does to its network: what asks here is to work while that is cut. */
const direct = globalThis.fetch.bind(globalThis);

/** Asks the server that the page came from, as whoever `token` is. Rejects with what the server says. */
export async function ask<Answer>(token: string, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const response = await direct(`${path}?${new URLSearchParams({ api_key: API_KEY })}`, {
    method,
    headers: { Authorization: token, 'stream-auth-type': 'jwt', ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer & { message?: string; code?: number };
  if (!response.ok) throw Object.assign(new Error(answer.message ?? response.statusText), { code: answer.code });
  return answer;
}
