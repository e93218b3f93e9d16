/* What is typed into the filter box, as parameters of the API: `status:404 client:127.0.0.1 some words`. */

const names = ['status', 'class', 'reason', 'client', 'site', 'failed', 'text'];

/* {parameters, wrong}: `wrong` is the first part that looks like a shortcut and has no sense. */
export function readFilter(text) {
    const parameters = {}, words = [];
    let wrong = null;

    for (const part of text.trim().split(/\s+/).filter(Boolean)) {
        const at = part.indexOf(':'), name = part.slice(0, at), value = part.slice(at + 1);

        if (at < 1 || !names.includes(name))
            words.push(part);
        else if (!fits(name, value))
            wrong ??= part;
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
        return /^\d{1,4}$/.test(value);
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
