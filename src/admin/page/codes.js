/* One reason as each dialect tells it. */

import { el } from './dom.js';
import { t } from './language.js';
import { codeAddress } from './route.js';

export const dialects = [['rfc', 'RFC'], ['nginx', 'nginx'], ['iis', 'IIS'], ['cloudflare', 'Cloudflare']];

/* "400 (494)" of nginx leads to nginx:494, "404.13" of iis to 404.13, "404" to 404. */
export function codeOf(dialect, text) {
    const told = /\((\d+)\)/.exec(text);

    if (told && told[1] !== '000')
        return `${dialect}:${told[1]}`;
    return text.replace(/\D*$/, '');
}

/* "esri 498, iis 503.4": each a link. */
export function otherLinks(text) {
    return text.split(/,\s*/).filter(Boolean).flatMap((part, i) => {
        const [vendor, code] = part.split(' ');
        const link = code ? el('a', { href: codeAddress(/\.\d/.test(code) ? code : `${vendor}:${code}`) }, part) : part;

        return i ? [', ', link] : [link];
    });
}

/* The same in one line, for a list of reasons. */
export function codesLine(codes, others) {
    const pair = (name, value) => el('div', null, el('dt', null, name), ' ', el('dd', null, value));

    return el('dl', { class: 'code-line' },
        dialects.filter(([dialect]) => codes[dialect]).map(([dialect, name]) =>
            pair(name, el('a', { href: codeAddress(codeOf(dialect, codes[dialect])) }, codes[dialect]))),
        others && pair(t('others'), otherLinks(others)));
}

export function codesTable(codes, others, spoken = null) {
    const rows = dialects.filter(([dialect]) => codes[dialect]).map(([dialect, name]) =>
        el('tr', { class: dialect === spoken ? 'spoken' : null },
            el('th', { scope: 'row' }, name),
            el('td', null, el('a', { href: codeAddress(codeOf(dialect, codes[dialect])) }, codes[dialect])),
            el('td', { class: 'quiet' }, dialect === spoken ? t('spokenHere') : '')));

    return el('div', { class: 'codes' },
        el('table', null, el('tbody', null, rows,
            others && el('tr', null, el('th', { scope: 'row' }, t('others')), el('td', { colspan: 2 }, otherLinks(others))))),
        el('p', { class: 'quiet small' }, t('bracketsHint')));
}
