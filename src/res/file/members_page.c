#include "res/file/members.h"

/* A name with a colon would be taken for a scheme. RFC3986:4.2 */
static void put_link(struct file_text *t, const struct file_member *member)
{
    file_text_put(t, SPAN("./"));
    file_text_put_path(t, span_of(member->name));
    if (member->is_collection)
        file_text_put(t, SPAN("/"));
}

static void put_row(struct file_text *t, const struct file_member *member)
{
    file_text_put(t, SPAN("<tr><td><a href=\""));
    put_link(t, member);
    file_text_put(t, SPAN("\">"));
    file_text_put_markup(t, span_of(member->name));
    file_text_put(t,
                  member->is_collection ? SPAN("/</a><td class=\"n\"><td class=\"n\">") : SPAN("</a><td class=\"n\">"));
    if (!member->is_collection) {
        file_text_put_size(t, member->size);
        file_text_put(t, SPAN("<td class=\"n\">"));
    }
    file_text_put_minute(t, member->modified);
    file_text_put(t, SPAN("\n"));
}

static void put_start(struct file_text *t, struct span path, const struct file_words *w)
{
    file_text_put(t, SPAN("<!doctype html>\n<html lang=\""));
    file_text_put(t, w->language);
    file_text_put(t, SPAN("\">\n"));
    file_text_put(t, file_words_style());
    file_text_put(t, SPAN("<title>"));
    file_text_put(t, w->listing);
    file_text_put(t, SPAN(" "));
    file_text_put_markup(t, path);
    file_text_put(t, SPAN("</title>\n<h1>"));
    file_text_put(t, w->listing);
    file_text_put(t, SPAN(" "));
    file_text_put_markup(t, path);
    file_text_put(t, SPAN("</h1>\n"));
    if (path.n <= 1)
        return;
    file_text_put(t, SPAN("<p><a href=\"../\">"));
    file_text_put(t, w->parent);
    file_text_put(t, SPAN("</a></p>\n"));
}

void file_members_html(const struct file_members *m, struct span path, const struct file_words *w, struct file_text *t)
{
    put_start(t, path, w);
    file_text_put(t, SPAN("<table>\n<tr><th>"));
    file_text_put(t, w->name);
    file_text_put(t, SPAN("<th class=\"n\">"));
    file_text_put(t, w->size);
    file_text_put(t, SPAN("<th class=\"n\">"));
    file_text_put(t, w->modified);
    file_text_put(t, SPAN("\n"));
    for (uint32_t i = 0; i < m->count; i++)
        put_row(t, &m->member[i]);
    file_text_put(t, SPAN("</table>\n"));
    if (!m->cut)
        return;
    file_text_put(t, SPAN("<p>"));
    file_text_put(t, w->cut);
    file_text_put(t, SPAN("</p>\n"));
}

static void put_object(struct file_text *t, const struct file_member *member)
{
    file_text_put(t, SPAN("{\"name\":"));
    file_text_put_json(t, span_of(member->name));
    file_text_put(t, SPAN(",\"href\":\""));
    put_link(t, member);
    file_text_put(t,
                  member->is_collection ? SPAN("\",\"type\":\"directory\"") : SPAN("\",\"type\":\"file\",\"size\":"));
    if (!member->is_collection)
        file_text_put_number(t, member->size);
    file_text_put(t, SPAN(",\"modified\":\""));
    file_text_put_time(t, member->modified);
    file_text_put(t, SPAN("\"}"));
}

void file_members_json(const struct file_members *m, struct span path, struct file_text *t)
{
    file_text_put(t, SPAN("{\"path\":"));
    file_text_put_json(t, path);
    file_text_put(t, m->cut ? SPAN(",\"cut\":true,\"members\":[") : SPAN(",\"cut\":false,\"members\":["));
    for (uint32_t i = 0; i < m->count; i++) {
        file_text_put(t, i > 0 ? SPAN(",\n") : SPAN("\n"));
        put_object(t, &m->member[i]);
    }
    file_text_put(t, SPAN("\n]}\n"));
}
