/* What is typed into the filter box, as parameters of the API: `status:404 client:127.0.0.1 some words`. */

/* Each with an example of how it is written. */
export const shortcuts = {
    status: 'status:404 status:404.15 status:1015', class: 'class:4 class:4xx', reason: 'reason:not-found', client: 'client:127.0.0.1',
    site: 'site:example.org', upstream: 'upstream:app', since: 'since:30s since:5m since:2h', failed: 'failed:1', text: 'text:a:b',
};

const NEAR = 5;

/* A word before a colon asks for a shortcut. An address or a part of one does not: /a:b, http://a, example.org:80, [::1]:80. */
const looksLikeShortcut = part => /^[a-z][a-z_-]*:/i.test(part) && !part.includes('/');

/* What someone who typed so much of a name may mean. */
function nearReasons(reasons, typed) {
    const words = typed.split('-').filter(word => word.length > 3), has = name => words.filter(word => name.includes(word)).length;
    const rank = name => (name.startsWith(typed) ? 1000 : name.includes(typed) ? 500 : 0) + has(name);

    return typed === '' ? [] : reasons.filter(rank).sort((a, b) => rank(b) - rank(a)).slice(0, NEAR);
}

/* null, or what is wrong with one part: {kind: 'name' | 'value' | 'reason', part, name, near}. */
function faultOf(part, name, value, reasons) {
    if (!Object.hasOwn(shortcuts, name))
        return { kind: 'name', part, name, near: [] };
    if (!fits(name, value))
        return { kind: 'value', part, name, near: [] };
    if (name === 'reason' && reasons.length && !reasons.includes(value))
        return { kind: 'reason', part, name, near: nearReasons(reasons, value.toLowerCase()) };
    return null;
}

/* {parameters, wrong}: `wrong` is the first fault. reasons: names of all reasons, or [] when they are not known. */
export function readFilter(text, reasons = []) {
    const parameters = {}, words = [];
    let wrong = null;

    for (const part of text.trim().split(/\s+/).filter(Boolean)) {
        const at = part.indexOf(':'), name = part.slice(0, at), value = part.slice(at + 1);

        if (!looksLikeShortcut(part) && !Object.hasOwn(shortcuts, name)) {
            words.push(part);
            continue;
        }
        const fault = faultOf(part, name, value, reasons);

        if (fault)
            wrong ??= fault;
        else if (name === 'text')
            words.push(value);
        else
            parameters[name] = name === 'class' ? value[0] : value;
    }
    if (words.length)
        parameters.text = words.join(' ');
    if (parameters.failed === '0')
        delete parameters.failed;
    return { parameters, wrong };
}

function fits(name, value) {
    if (name === 'status')
        return /^\d{1,4}(\.\d{1,3})?$/.test(value);
    if (name === 'since')
        return /^\d{1,6}[smh]$|^\d{1,15}$/.test(value);
    if (name === 'class')
        return /^[0-5](xx)?$/.test(value);
    if (name === 'failed')
        return value === '0' || value === '1';
    return value !== '';
}

/* The same filter with one shortcut set, or taken away with value null. */
export function withShortcut(text, name, value) {
    const parts = text.trim().split(/\s+/).filter(part => part && !part.startsWith(`${name}:`));

    return (value === null ? parts : [...parts, `${name}:${value}`]).join(' ');
}

export function hasShortcut(text, name, value) {
    return text.split(/\s+/).includes(`${name}:${value}`);
}
