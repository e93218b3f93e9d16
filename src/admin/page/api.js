/* The JSON API (docs/admin.md). What it answers about words is asked for in the language of the page. */

import { language } from './language.js';

/* kind: `unreachable`, `token`, `gone`, `refused` (the server says the query is wrong), `failed`. */
export class ApiError extends Error {
    constructor(kind, status, reason) {
        super(`${kind} ${status} ${reason}`);
        this.kind = kind;
        this.status = status;
        this.reason = reason;
    }
}

function kindOf(status) {
    if (status === 401 || status === 403)
        return 'token';
    if (status === 404)
        return 'gone';
    return status >= 500 ? 'failed' : 'refused';
}

/* `Verdict: not-found;id="7k3v9c2q"` */
function reasonOf(answer) {
    return (answer.headers.get('Verdict') ?? '').split(';')[0];
}

export async function ask(path, parameters = {}, signal = undefined) {
    const query = new URLSearchParams({ ...parameters, lang: language() });
    let answer;

    try {
        answer = await fetch(`${path}?${query}`, { signal, headers: { Accept: 'application/json' } });
    } catch (error) {
        if (error.name === 'AbortError')
            throw error;
        throw new ApiError('unreachable', 0, '');
    }
    if (!answer.ok)
        throw new ApiError(kindOf(answer.status), answer.status, reasonOf(answer));
    return answer.json();
}

const kept = new Map();

/* For what does not change while the server runs; once for each language. A failure is not kept. */
export function askOnce(path) {
    const key = `${path} ${language()}`;

    if (!kept.has(key))
        kept.set(key, ask(path).catch(error => {
            kept.delete(key);
            throw error;
        }));
    return kept.get(key);
}
