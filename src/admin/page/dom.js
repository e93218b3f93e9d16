/* Making elements. Text from outside goes through textContent only, so nothing that came over a socket is ever markup. */

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (typeof value === 'function')
            element.addEventListener(name.slice(2), value);
        else if (value !== null && value !== undefined && value !== false)
            element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
    return element;
}

export function el(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

/* Sets the text only when it differs: an untouched node costs no layout. */
export function say(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

export function typing(event) {
    return event.target instanceof Element && event.target.closest('input, select, textarea') !== null;
}

/* Keys with a modifier belong to the browser. */
export function modified(event) {
    return event.ctrlKey || event.metaKey || event.altKey;
}

export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
