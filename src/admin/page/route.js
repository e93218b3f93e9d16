/*
 * Addresses within the page: `#exchanges`, `#exchanges?status:404`, `#id=7k3v9c2q`, `#traffic`, `#now`, `#now=open`, `#reference`, and whatever
 * `verdict explain` understands: `#404`, `#404.13`, `#nginx:499`, `#reason:not-found`, `#not-found`.
 */

const views = ['exchanges', 'traffic', 'now', 'reference'];

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

export function readRoute(hash) {
    const text = decoded(hash.replace(/^#/, ''));

    if (text === '' || text === 'main')
        return { view: 'exchanges', id: null, filter: null, key: null };
    if (text.startsWith('id='))
        return { view: 'exchanges', id: text.slice(3), filter: null, key: null };
    if (text.startsWith('exchanges?'))
        return { view: 'exchanges', id: null, filter: text.slice(10), key: null };
    if (text.startsWith('now='))
        return { view: 'now', id: null, filter: null, key: text.slice(4) };
    if (views.includes(text))
        return { view: text, id: null, filter: text === 'exchanges' ? '' : null, key: null };
    return { view: 'reference', id: null, filter: null, key: text };
}

export const exchangeAddress = id => `#id=${encodeURIComponent(id)}`;
export const reasonAddress = name => `#${encodeURIComponent(name)}`;
export const filterAddress = text => (text ? `#exchanges?${encodeURIComponent(text)}` : '#exchanges');
export const codeAddress = code => `#${encodeURIComponent(code).replace('%3A', ':')}`;
