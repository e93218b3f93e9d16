/* One step of a path in words: what was asked, what the answer was, what decided it. */

import { el } from './dom.js';
import { specAddress } from './format.js';

export function specLink(spec) {
    const address = specAddress(spec);

    return address ? el('a', { class: 'spec', href: address, target: '_blank', rel: 'noopener noreferrer' }, spec) : el('span', { class: 'spec' }, spec);
}

function factList(facts) {
    return el('dl', { class: 'facts' }, facts.map(fact => el('div', null, el('dt', null, fact.name), ' ', el('dd', null, fact.value || '–'))));
}

export function stepBody(step) {
    return [
        el('p', { class: 'said' }, step.text, ' ', el('b', { class: `answer ${step.answer}` }, step.says)),
        step.facts.length > 0 && factList(step.facts),
    ].filter(Boolean);
}

export function stepCard(step) {
    return [el('p', { class: 'card-name' }, `${step.block} / ${step.node}`), ...stepBody(step)];
}
