/* The head of a request and of its reply as they were, without secrets. */

import { el } from './dom.js';
import { t } from './language.js';

function value(text) {
    return el('td', null, text.split('[removed]').flatMap((part, i) => (i ? [el('em', { class: 'removed', title: t('removedHint') }, t('removed')), part] : [part])));
}

function head(title, { line, fields, cut }, nothing) {
    const rows = fields.map(([name, text]) => el('tr', null, el('th', { scope: 'row' }, name), value(text)));

    return el('div', { class: 'message' },
        el('h4', null, title),
        line ? el('p', { class: 'first-line' }, line) : el('p', { class: 'quiet' }, nothing),
        rows.length > 0 && el('table', null, el('tbody', null, rows)),
        cut && el('p', { class: 'quiet small' }, t('cut')));
}

export function heads(exchange) {
    return el('div', { class: 'messages' },
        head(t('request'), exchange.request, t('unreadHead')),
        head(t('reply'), exchange.reply, t('nothingSent')));
}
