/* What the reader chose, kept by the browser if it lets us: with storage denied, the choice lasts as long as the page. */

const chosen = new Map();

export function setting(name) {
    if (chosen.has(name))
        return chosen.get(name);
    try {
        return localStorage.getItem(`verdict.${name}`);
    } catch {
        return null;
    }
}

export function keepSetting(name, value) {
    chosen.set(name, value);
    try {
        localStorage.setItem(`verdict.${name}`, value);
    } catch {
        /* The map above has it. */
    }
}
