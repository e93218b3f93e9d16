/* One entry of the reference: a status with all its meanings, a sub-status, or a reason. */

import { codesLine, codesTable, dialects } from './codes.js';
import { el } from './dom.js';
import { statusClass } from './format.js';
import { t } from './language.js';
import { codeAddress, filterAddress, reasonAddress } from './route.js';
import { specLink } from './step.js';

function specs(text) {
    return text.split(/,\s*/).filter(Boolean).flatMap((spec, i) => [i ? ' ' : '', spec === 'local' ? t('localSpec') : specLink(spec)]);
}

function pair(name, ...value) {
    return el('div', null, el('dt', null, name), el('dd', null, value));
}

function words(entry) {
    return [el('p', { class: 'what' }, entry.what), entry.todo && el('p', { class: 'todo' }, el('b', null, t('todo')), ' ', entry.todo)];
}

function links(title, entries) {
    return entries.length > 0 && el('section', { class: 'links' }, el('h3', null, title), el('ul', null, entries.map(entry =>
        el('li', null, el('a', { href: entry.kind === 'reason' ? reasonAddress(entry.key) : codeAddress(entry.key) }, entry.label), ' ',
            el('div', { class: 'quiet' }, entry.name, entry.reason && codesLine(entry.reason.shown, entry.reason.others))))));
}

function meaning(entry) {
    return el('section', { class: 'meaning' },
        el('h2', null, el('span', { class: `code ${statusClass(entry.status)}` }, entry.label), ' ', entry.name),
        el('p', { class: 'tags' }, el('span', { class: 'tag' }, entry.vendor),
            entry.standing && el('span', { class: `tag ${entry.standing}` }, t(`standing_${entry.standing}`))),
        words(entry),
        entry.spec && el('dl', { class: 'pairs' }, pair(t('spec'), specs(entry.spec))));
}

/* Does a dialect show this reason with the number? */
function shows(reason, number) {
    return dialects.some(([dialect]) => new RegExp(`(^|\\D)${number.replace('.', '\\.')}(\\D|$)`).test(reason.shown[dialect] ?? ''))
        || new RegExp(`\\b${number.replace('.', '\\.')}(,|$)`).test(reason.others);
}

function numberEntry(found, entries) {
    const number = found[0].label, reasons = entries.filter(entry => entry.kind === 'reason');
    const here = reasons.filter(entry => entry.reason.shown.rfc === number);
    const elsewhere = reasons.filter(entry => !here.includes(entry) && shows(entry.reason, number));
    const below = found[0].kind === 'status' ? entries.filter(entry => entry.kind === 'substatus' && entry.status === found[0].status) : [];

    return el('article', { class: 'entry' }, found.map(meaning),
        el('p', null, el('a', { href: filterAddress(`status:${number}`) }, t('exchangesWith', { what: number }))),
        found[0].kind === 'substatus' && el('p', null, el('a', { href: codeAddress(String(found[0].status)) }, t('wholeStatus', { what: String(found[0].status) }))),
        links(t('reasonsHere'), here), links(t('reasonsElsewhere'), elsewhere), links(t('substatuses'), below));
}

function reasonEntry(entry, graph) {
    const r = entry.reason, ends = (graph?.edges ?? []).filter(edge => edge.end === r.name);
    const nodes = new Map((graph?.nodes ?? []).map(node => [node.name, node]));

    return el('article', { class: 'entry' },
        el('h2', null, el('span', { class: `code ${statusClass(entry.status)}` }, r.shown.rfc), ' ', el('span', { class: 'reason' }, r.name)),
        entry.name !== r.what && el('p', { class: 'quiet' }, entry.name),
        words(entry),
        el('dl', { class: 'pairs' },
            pair(t('lasts'), t(`lasts_${r.lasts}`)),
            pair(t('connection'), t(`after_${r.after}`)),
            r.spec && pair(t('spec'), specs(r.spec)),
            r.proxy_error && pair('Proxy-Status', el('code', null, r.proxy_error))),
        el('p', null, el('a', { href: filterAddress(`reason:${r.name}`) }, t('exchangesWith', { what: r.name }))),
        el('h3', null, t('codes')), codesTable(r.shown, r.others),
        ends.length > 0 && el('section', { class: 'links' }, el('h3', null, t('decidedAt')), el('ul', null, ends.map(edge =>
            el('li', null, el('a', { href: `#now=${encodeURIComponent(edge.from)}` }, edge.from), ' ',
                el('span', { class: 'quiet' }, `${nodes.get(edge.from)?.text ?? ''} ${t(`on_${edge.on}`)}`))))));
}

/* found: the entries of one address. */
export function entryArticle(found, entries, graph) {
    return found.every(entry => entry.kind !== 'reason') ? numberEntry(found, entries)
        : el('div', null, found.filter(entry => entry.kind === 'reason').map(entry => reasonEntry(entry, graph)));
}
