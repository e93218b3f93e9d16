#include "cli/explain_impl.h"
#include "cli/output.h"

/* What stands before and between the facts. */
struct labels {
    const char *what, *means, *todo, *client, *sends, *never, *emitters, *cacheable, *spec, *rules, *standing, *former;
    const char *lasts, *connection, *proxy, *codes, *others, *status, *condition, *rfc, *id;
    const char *meanings, *reasons, *elsewhere, *by_id, *also, *reason_column, *brackets, *registry_only, *no_rfc;
    const char *english, *yes, *no, *keep, *close, *lasting[PERMANENT + 1], *standings[STANDINGS];
};

static const struct labels all_labels[LANGUAGES] = {
    [LANGUAGE_EN] = {
        .what = "What happened", .means = "What it means", .no_rfc = "no RFC", .todo = "What to do", .client = "A client", .sends = "A server sends",
        .never = "And never", .emitters = "Sent by", .cacheable = "Cacheable", .spec = "Written in",
        .rules = "Rules", .standing = "Standing", .former = "Also called", .lasts = "Lasts",
        .connection = "Connection", .proxy = "Proxy-Status", .codes = "Codes", .others = "Elsewhere",
        .status = "Status", .condition = "Here when", .rfc = "By the RFCs", .id = "id",
        .meanings = "One number, several meanings", .reasons = "What it stands for in this server",
        .elsewhere = "What other systems use it for",
        .by_id = "No such status: the number was taken for the id of a reason.",
        .also = "See also", .reason_column = "reason", .brackets = "In brackets: logged or told besides, not sent.",
        .english = "", .registry_only = "Known to the look-up only: this server never has this condition.",
        .yes = "yes, even without an explicit lifetime", .no = "only with an explicit lifetime",
        .keep = "stays open if the rest of the request is in order", .close = "is closed",
        .lasting = { [UNKNOWN] = "unknown", [TEMPORARY] = "temporary", [PERMANENT] = "permanent" },
        .standings = { "current", "deprecated", "obsolete", "unused", "unofficial" },
    },
    [LANGUAGE_ZH_CN] = {
        .what = "发生了什么", .means = "含义", .no_rfc = "没有 RFC", .todo = "怎么办", .client = "客户端", .sends = "服务器要发送", .never = "不得发送",
        .emitters = "由谁发送", .cacheable = "可否缓存", .spec = "出处", .rules = "规则", .standing = "地位",
        .former = "又称", .lasts = "持续", .connection = "连接", .proxy = "Proxy-Status", .codes = "各系统代码",
        .others = "其他系统", .status = "状态", .condition = "本服务器的条件", .rfc = "按照 RFC", .id = "编号",
        .meanings = "同一数字，含义不同", .reasons = "在本服务器中代表的原因", .elsewhere = "其他系统用它表示的原因",
        .by_id = "没有这个状态码；该数字被当作原因的编号。", .also = "另请参阅",
        .reason_column = "原因", .brackets = "括号内的代码只写入日志或另行说明，不会发送。",
        .english = "（英文）", .registry_only = "仅供查询：本服务器不会出现这种情况。", .yes = "可以，即使没有明确的有效期",
        .no = "有明确的有效期时才可以", .keep = "请求的其余部分正常时保持打开", .close = "关闭",
        .lasting = { [UNKNOWN] = "未知", [TEMPORARY] = "暂时", [PERMANENT] = "永久" },
        .standings = { "现行", "不推荐使用", "已废弃", "保留不用", "非官方" },
    },
    [LANGUAGE_ZH_TW] = {
        .what = "發生了什麼", .means = "意義", .no_rfc = "沒有 RFC", .todo = "怎麼辦", .client = "用戶端", .sends = "伺服器要送出", .never = "不得送出",
        .emitters = "由誰送出", .cacheable = "可否快取", .spec = "出處", .rules = "規則", .standing = "地位",
        .former = "又稱", .lasts = "持續", .connection = "連線", .proxy = "Proxy-Status", .codes = "各系統代碼",
        .others = "其他系統", .status = "狀態", .condition = "本伺服器的條件", .rfc = "依照 RFC", .id = "編號",
        .meanings = "同一數字，意義不同", .reasons = "在本伺服器中代表的原因", .elsewhere = "其他系統用它表示的原因",
        .by_id = "沒有這個狀態碼；該數字被當作原因的編號。", .also = "另請參閱",
        .reason_column = "原因", .brackets = "括號內的代碼只寫入記錄檔或另行說明，不會送出。",
        .english = "（英文）", .registry_only = "僅供查詢：本伺服器不會出現這種情況。", .yes = "可以，即使沒有明確的有效期限",
        .no = "有明確的有效期限時才可以", .keep = "請求的其餘部分正常時保持開啟", .close = "關閉",
        .lasting = { [UNKNOWN] = "未知", [TEMPORARY] = "暫時", [PERMANENT] = "永久" },
        .standings = { "現行", "不建議使用", "已廢棄", "保留不用", "非官方" },
    },
};

/* Widths of the dialects' columns; the last ends the line. */
static const size_t columns[DIALECTS] = { 6, 11, 10, 0 };

static void heading(struct output *o, const char *number, const char *title, const char *aside)
{
    char text[160];

    snprintf(text, sizeof text, "%s%s%s", number, title[0] != '\0' ? " " : "", title);
    output_heading(o, text, aside);
}

static void spec_text(struct output *o, const struct labels *l, const char *spec)
{
    output_row(o, l->spec, strcmp(spec, "local") == 0 ? l->no_rfc : spec);
}

/* What the registry has in English only is said to be so where all else is in another language. */
static void english_row(struct output *o, const struct labels *l, const char *label, const char *english)
{
    char text[640];

    if (english[0] == '\0')
        return;
    snprintf(text, sizeof text, "%s%s", l->english, english);
    output_row(o, label, text);
}

/* A code that nobody sends, or that only a log knows, meets no cache. */
static bool is_sent(const struct status_info *row)
{
    return strncmp(row->emitters, "log-only", 8) != 0 && strncmp(row->emitters, "client-side-only", 16) != 0 &&
           strncmp(row->never_sends, "this code: never sent", 21) != 0;
}

static void status_text(struct output *o, const struct status_info *row, enum language language)
{
    const struct labels *l = &all_labels[language];
    char code[8], aside[64];

    snprintf(code, sizeof code, "%u", row->code);
    if (row->vendor == VENDOR_unofficial)
        snprintf(aside, sizeof aside, "%s", l->standings[row->standing]);
    else
        snprintf(aside, sizeof aside, "%s, %s", status_vendor_name(row->vendor), l->standings[row->standing]);
    heading(o, code, row->phrase, aside);
    output_row(o, l->means, explain_status_what(row, language));
    output_row(o, l->client, explain_status_todo(row, language));
    english_row(o, l, l->sends, row->sends);
    english_row(o, l, l->never, row->never_sends);
    english_row(o, l, l->emitters, row->emitters);
    if (is_sent(row))
        output_row(o, l->cacheable, row->cacheable ? l->yes : l->no);
    output_row(o, l->former, row->other_phrases);
    spec_text(o, l, row->spec);
    output_row(o, l->rules, row->rules);
}

static void substatus_text(struct output *o, const struct substatus_info *row, enum language language)
{
    const struct labels *l = &all_labels[language];
    const struct status_info *status = status_first(row->status);
    char code[16];

    snprintf(code, sizeof code, "%u.%u", row->status, row->sub);
    heading(o, code, row->meaning, status_vendor_name(row->vendor));
    output_row(o, l->means, explain_substatus_what(row, language));
    output_row(o, l->todo, explain_substatus_todo(row, language));
    if (row->registry_only)
        output_row(o, l->condition, l->registry_only);
    else
        english_row(o, l, l->condition, row->condition);
    english_row(o, l, l->rfc, row->rfc);
    if (status == NULL)
        return;
    output_row(o, l->status, status->phrase);
    english_row(o, l, l->sends, status->sends);
    spec_text(o, l, status->spec);
    output_row(o, l->rules, status->rules);
}

static void codes_text(struct output *o, enum reason why, const struct labels *l)
{
    char codes[160];
    size_t n = 0;

    for (enum dialect d = 0; d < DIALECTS; d++)
        n += (size_t)snprintf(codes + n, sizeof codes - n, "%s%s %s", d > 0 ? ", " : "", dialect_name(d),
                              explain_code(why, d).text);
    output_row(o, l->codes, codes);
    output_row(o, l->others, explain_other_codes(why).text);
}

static void reason_text(struct output *o, enum reason why, enum language language)
{
    const struct labels *l = &all_labels[language];
    const struct reason_info *info = reason_info(why);
    const struct status_info *status = explain_status_of(why);
    char aside[64];

    snprintf(aside, sizeof aside, "%s %u", l->id, info->id);
    output_heading(o, info->name, aside);
    output_row(o, l->what, explain_what(why, language));
    output_row(o, l->todo, explain_todo(why, language));
    codes_text(o, why, l);
    output_row(o, l->lasts, l->lasting[info->lasts]);
    output_row(o, l->connection, info->after == KEEP ? l->keep : l->close);
    output_row(o, l->proxy, info->proxy_error);
    spec_text(o, l, info->spec);
    if (status == NULL)
        return;
    snprintf(aside, sizeof aside, "%u %s", status->code, status->phrase);
    output_row(o, l->status, aside);
    english_row(o, l, l->sends, status->sends);
    english_row(o, l, l->never, status->never_sends);
    output_row(o, l->client, explain_status_todo(status, language));
    output_row(o, l->rules, status->rules);
}

static void item_text(struct output *o, const struct look_up_item *item, enum language language)
{
    switch (item->kind) {
    case LOOK_UP_STATUS:
        status_text(o, item->status, language);
        break;
    case LOOK_UP_SUBSTATUS:
        substatus_text(o, item->substatus, language);
        break;
    case LOOK_UP_REASON:
        reason_text(o, item->why, language);
        break;
    }
}

/* The meanings of one number beside one another, before each is told at length. */
static void meanings_text(struct output *o, const struct look_up *found, enum language language)
{
    const struct labels *l = &all_labels[language];
    size_t statuses = 0;

    for (size_t i = 0; i < found->count; i++)
        statuses +=
            found->items[i].kind == LOOK_UP_STATUS && found->items[i].status->code == found->items[0].status->code;
    if (found->count < 2 || statuses != found->count)
        return;
    output_heading(o, l->meanings, "");
    for (size_t i = 0; i < found->count; i++)
        output_row(o, status_vendor_name(found->items[i].status->vendor), found->items[i].status->phrase);
}

/* Each system's code for the same condition. Returns whether one of them stands in brackets. */
static bool codes_line(struct output *o, enum reason why, const struct labels *l)
{
    struct explain_codes others = explain_other_codes(why);
    bool brackets = false;

    output_cell(o, 2, "");
    output_cell(o, 38, reason_info(why)->name);
    for (enum dialect d = 0; d < DIALECTS; d++) {
        struct explain_code code = explain_code(why, d);

        output_cell(o, columns[d], code.text);
        brackets = brackets || strchr(code.text, '(') != NULL;
    }
    fputc('\n', o->file);
    if (others.text[0] != '\0') {
        char text[320];

        snprintf(text, sizeof text, "%s: %s", l->others, others.text);
        output_paragraph(o, 4, text);
    }
    return brackets;
}

static void reasons_text(struct output *o, const char *title, const enum reason reasons[], size_t count,
                         const struct labels *l)
{
    bool brackets = false;

    if (count == 0)
        return;
    output_heading(o, title, "");
    output_cell(o, 2, "");
    output_cell(o, 38, l->reason_column);
    for (enum dialect d = 0; d < DIALECTS; d++)
        output_cell(o, columns[d], dialect_name(d));
    fputc('\n', o->file);
    for (size_t i = 0; i < count; i++)
        brackets = codes_line(o, reasons[i], l) || brackets;
    if (brackets)
        output_paragraph(o, 2, l->brackets);
}

static void also_text(struct output *o, const struct look_up *found, const struct labels *l)
{
    if (found->also_count == 0)
        return;
    output_heading(o, l->also, "");
    for (size_t i = 0; i < found->also_count; i++)
        output_entry(o, 34, look_up_name(&found->also[i]).text, look_up_title(&found->also[i]));
}

void explain_text(FILE *out, const struct look_up *found, enum language language)
{
    const struct labels *l = &all_labels[language];
    struct output o;

    output_init(&o, out);
    if (found->by_id)
        output_paragraph(&o, 0, l->by_id);
    meanings_text(&o, found, language);
    for (size_t i = 0; i < found->count; i++)
        item_text(&o, &found->items[i], language);
    reasons_text(&o, l->reasons, found->reasons, found->reason_count, l);
    reasons_text(&o, l->elsewhere, found->elsewhere, found->elsewhere_count, l);
    also_text(&o, found, l);
}
