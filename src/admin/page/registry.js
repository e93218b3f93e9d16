/* All that the server can look up: statuses, sub-statuses and reasons, as one list that can be searched. */

import { askOnce } from './api.js';
import { dialects } from './codes.js';
import { language } from './language.js';

/* Vendors of sub-statuses are written with the version of the product; people ask for the product. */
export function vendorName(vendor) {
    return vendor.replace(/^iis\d+$/, 'iis');
}

const standard = vendor => vendor === 'ietf' || vendor === 'webdav' || vendor === 'iana';

function statusEntry(s) {
    const own = standard(s.vendor);

    return {
        kind: 'status', key: own ? String(s.code) : `${s.vendor}:${s.code}`, label: String(s.code), status: s.code, vendor: s.vendor, name: s.phrase,
        group: own ? `${Math.floor(s.code / 100)}xx` : 'vendors', what: s.what, todo: s.todo, spec: s.spec, standing: s.standing, aliases: [String(s.code), `${s.vendor}:${s.code}`],
    };
}

function substatusEntry(s) {
    const label = `${s.status}.${s.sub}`, vendor = vendorName(s.vendor);

    return {
        kind: 'substatus', key: label, label, status: s.status, vendor, name: s.meaning, group: 'substatuses', what: s.what, todo: s.todo,
        aliases: [label, `${vendor}:${label}`, `iis:${label}`],
    };
}

/* The numbers of a reason, so that "nginx:494" and "521" find it. */
function aliasesOf(reason) {
    const found = [reason.name, `reason:${reason.name}`];

    for (const [dialect] of dialects) {
        const text = reason.shown[dialect] ?? '', told = /\((\d+)\)/.exec(text);

        if (told)
            found.push(`${dialect}:${told[1]}`);
        found.push(`${dialect}:${text.split(' ')[0]}`);
    }
    for (const part of reason.others.split(/,\s*/).filter(Boolean))
        found.push(part.replace(' ', ':'));
    return found;
}

function reasonEntry(r) {
    const status = parseInt(r.shown.rfc, 10) || 0;

    return { kind: 'reason', key: r.name, label: r.name, status, name: language() === 'en' ? r.text : r.what, group: 'reasons', what: r.what, todo: r.todo, spec: r.spec, reason: r, aliases: aliasesOf(r) };
}

export async function registry() {
    const [reasons, { statuses, substatuses }] = await Promise.all([askOnce('/api/reasons'), askOnce('/api/statuses')]);
    const entries = [...statuses.map(statusEntry), ...substatuses.map(substatusEntry), ...reasons.map(reasonEntry)];

    for (const entry of entries)
        entry.words = [entry.label, ...entry.aliases, entry.vendor, entry.name, entry.reason?.text, entry.what, entry.todo].join('\n').toLowerCase();
    return entries;
}

/* Entries that an address such as `404`, `nginx:499` or `reason:not-found` means; several when a number has several. */
export function resolve(entries, key) {
    const wanted = key.toLowerCase().replace(/_/g, '-'), bare = wanted.replace(/^reason:/, '');
    const exact = entries.filter(entry => entry.kind === 'reason' ? entry.key === bare : entry.aliases.includes(wanted));

    if (exact.length)
        return exact;
    return entries.filter(entry => entry.kind === 'reason' && entry.aliases.includes(wanted));
}

function rank(entry, text) {
    if (entry.aliases.includes(text))
        return entry.kind === 'reason' && entry.key !== text ? 1 : 0;
    if (entry.label.startsWith(text) || entry.aliases.some(alias => alias.startsWith(text)))
        return 2;
    return entry.name.toLowerCase().includes(text) ? 3 : 4;
}

/* All words must be there; the best first. */
export function search(entries, text) {
    const whole = text.trim().toLowerCase(), words = whole.split(/\s+/).filter(Boolean);

    if (!words.length)
        return entries;
    return entries.filter(entry => words.every(word => entry.words.includes(word)))
        .map((entry, i) => [rank(entry, whole), i, entry]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , entry]) => entry);
}

/* What is alike enough to be meant instead. */
export function near(entries, key) {
    const digits = /\d+/.exec(key)?.[0], words = key.toLowerCase().split(/[^a-z]+/).filter(word => word.length > 2);

    return entries.filter(entry => digits && entry.aliases.some(alias => alias.includes(digits)) || words.some(word => entry.aliases.some(alias => alias.includes(word)))).slice(0, 8);
}
