#include <inttypes.h>

#include "cli/why_impl.h"

const struct why_labels why_labels[LANGUAGES] = {
    [LANGUAGE_EN] = {
        .what = "What happened", .todo = "What to do", .broken = "Sending failed", .path = "The way through the graph",
        .no_path = "It did not come to the graph.", .details = "Details", .reason = "Reason", .about = "About", .at = "Where",
        .in_head = "byte %" PRIu64 " of the head", .in_content = "byte %" PRIu64 " of the content", .codes = "Codes",
        .others = "Elsewhere", .lasts = "Lasts", .temporary = "temporary: it passes by itself",
        .permanent = "permanent: until something is changed", .spec = "Written in", .no_rfc = "no RFC", .by = "Answered by",
        .route = "route %s", .dialect = "dialect %s", .times = "Times", .waits = "Waited for", .error = "System error",
        .slow = "slow", .sizes = "Sizes", .in = "%s in", .out = "%s out", .source = "Named at",
        .nothing_sent = "Nothing sent", .no_site = "no site", .colon = ": ", .comma = ", ",
        .configured = "Configured", .configured_so = "the route %s is configured to answer so",
        .answers = { "yes", "no", "done", "stop", "wait" },
        .phases = { "queue", "head", "content", "first byte", "total" },
    },
    [LANGUAGE_ZH_CN] = {
        .what = "发生了什么", .todo = "怎么办", .broken = "发送失败", .path = "决策图中的路径", .no_path = "没有进入决策图。",
        .details = "详情", .reason = "原因", .about = "涉及", .at = "位置", .in_head = "请求首部的第 %" PRIu64 " 字节",
        .in_content = "内容的第 %" PRIu64 " 字节", .codes = "各系统代码", .others = "其他系统", .lasts = "持续",
        .temporary = "暂时：会自行恢复", .permanent = "永久：直到有人作出改动", .spec = "出处", .no_rfc = "没有 RFC",
        .by = "由谁应答", .route = "路由 %s", .dialect = "方言 %s", .times = "用时", .waits = "等待", .error = "系统错误",
        .slow = "慢", .sizes = "大小", .in = "收到 %s", .out = "发出 %s", .source = "源代码",
        .nothing_sent = "未发送任何内容", .no_site = "没有站点", .colon = "：", .comma = "，",
        .configured = "配置", .configured_so = "路由 %s 的配置规定了这样的应答",
        .answers = { "是", "否", "完成", "停止", "等待" },
        .phases = { "排队", "首部", "内容", "首字节", "总计" },
    },
    [LANGUAGE_ZH_TW] = {
        .what = "發生了什麼", .todo = "怎麼辦", .broken = "傳送失敗", .path = "決策圖中的路徑", .no_path = "沒有進入決策圖。",
        .details = "詳情", .reason = "原因", .about = "涉及", .at = "位置", .in_head = "請求標頭的第 %" PRIu64 " 位元組",
        .in_content = "內容的第 %" PRIu64 " 位元組", .codes = "各系統代碼", .others = "其他系統", .lasts = "持續",
        .temporary = "暫時：會自行恢復", .permanent = "永久：直到有人作出變更", .spec = "出處", .no_rfc = "沒有 RFC",
        .by = "由誰回應", .route = "路由 %s", .dialect = "方言 %s", .times = "用時", .waits = "等待", .error = "系統錯誤",
        .slow = "慢", .sizes = "大小", .in = "收到 %s", .out = "送出 %s", .source = "原始碼",
        .nothing_sent = "未送出任何內容", .no_site = "沒有網站", .colon = "：", .comma = "，",
        .configured = "設定", .configured_so = "路由 %s 的設定規定了這樣的回應",
        .answers = { "是", "否", "完成", "停止", "等待" },
        .phases = { "排隊", "標頭", "內容", "首位元組", "總計" },
    },
};
