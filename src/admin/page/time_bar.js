/* Where the time of an exchange went, from its first byte to its end, as one bar and its legend. */

import { el } from './dom.js';
import { duration } from './format.js';
import { t } from './language.js';

/*
 * `first_byte` and `content` both count from the end of the head, so what is neither content nor a wait before the first byte
 * of the answer is the server's own work, and what is left behind it is sending. Waiting for content is content already.
 */
function partsOf({ phases, waits }) {
    const parts = [{ name: t('phaseHead'), kind: 'head', ms: phases.head }, { name: t('phaseContent'), kind: 'content', ms: phases.content }];
    let left = Math.max(0, phases.first_byte - phases.content);

    for (const wait of waits) {
        const ms = wait.what === 'content' && phases.content ? 0 : Math.min(wait.ms, left);

        parts.push({ name: t('phaseWait', { what: wait.what }), kind: 'wait', ms });
        left -= ms;
    }
    parts.push({ name: t('phaseWork'), kind: 'work', ms: left });
    parts.push({ name: t('phaseSend'), kind: 'send', ms: Math.max(0, phases.total - phases.head - Math.max(phases.first_byte, phases.content)) });
    return parts.filter(part => part.ms > 0);
}

export function timeBar(exchange) {
    const parts = partsOf(exchange), bar = el('div', { class: 'time-bar', 'aria-hidden': 'true' });

    for (const part of parts) {
        const piece = el('span', { class: `piece ${part.kind}`, title: `${part.name}: ${duration(part.ms)}` });

        piece.style.flexGrow = part.ms;
        bar.append(piece);
    }
    return el('div', { class: 'times' },
        parts.length ? bar : null,
        el('dl', { class: 'legend' },
            parts.map(part => el('div', { class: part.kind }, el('dt', null, part.name), el('dd', null, duration(part.ms)))),
            el('div', { class: 'total' }, el('dt', null, t('phaseTotal')), el('dd', null, duration(exchange.phases.total))),
            exchange.phases.queue > 0 && el('div', { class: 'before' }, el('dt', null, t('phaseQueue')), el('dd', null, duration(exchange.phases.queue)))));
}
