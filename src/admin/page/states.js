/* What stands where there is nothing to show: why, and what to do. */

import { el } from './dom.js';
import { t } from './language.js';

function state(title, ...lines) {
    return el('div', { class: 'state' }, el('h2', null, title), lines.map(line => (typeof line === 'string' ? el('p', null, line) : line)));
}

function again() {
    return el('button', { type: 'button', onclick: () => location.reload() }, t('reload'));
}

export function errorState(error) {
    if (error.kind === 'unreachable')
        return state(t('unreachable'), t('unreachableHelp'), again());
    if (error.kind === 'token')
        return state(t('tokenNeeded'), t('tokenHelp'), again());
    if (error.kind === 'refused')
        return state(t('queryRefused'), t('queryRefusedHelp', { reason: error.reason || error.status }));
    return state(t('apiFailed'), t('apiFailedHelp', { status: error.status ?? '', reason: error.reason || error.message }), again());
}

/* The server listens next door by default, but only its operator knows: so the address is an example. */
export function noExchanges(filtered) {
    if (filtered)
        return state(t('noneFit'), t('noneFitHelp'));
    return state(t('noneYet'), t('noneYetHelp'),
        el('pre', null, el('code', null, `curl -i http://${location.hostname}:8080/`)));
}

export function notKept(id) {
    return state(t('notKept', { id }), t('notKeptHelp'), t('notKeptFailures'));
}
