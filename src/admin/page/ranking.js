/* A list of the most frequent: name, share as a bar, number. */

import { el } from './dom.js';
import { number } from './format.js';

/* rows: [{name, note, href, class, count, text}], the greatest first. */
export function ranking(rows, { onlook = null } = {}) {
    const most = Math.max(1, ...rows.map(row => row.count));

    return el('ol', { class: 'ranking' }, rows.map(row => {
        const bar = el('span', { class: `share ${row.class ?? ''}`, 'aria-hidden': 'true' });
        const look = onlook && { onpointerenter: () => onlook(row), onpointerleave: () => onlook(null), onfocusin: () => onlook(row), onfocusout: () => onlook(null) };

        bar.style.width = `${Math.max(0.5, row.count / most * 100)}%`;
        return el('li', look, el('a', { href: row.href }, row.name), row.note && el('span', { class: `note ${row.class ?? ''}` }, row.note),
            el('span', { class: 'number' }, row.text ?? number(row.count)), bar);
    }));
}
