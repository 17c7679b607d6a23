#include "tools/import/forward.h"

namespace steer::importing {
namespace {

constexpr std::size_t kMaxUpstreams = 32;

std::string entry_text(const Upstream& upstream) {
    Flow flow;
    flow.add("addr", upstream.addr);
    const auto add = [&flow](std::string_view key, const std::string& text) {
        if (!text.empty()) flow.add(key, text);
    };
    add("dial_addr", upstream.dial_addr);
    add("timeout", upstream.timeout);
    add("idle_timeout", upstream.idle_timeout);
    add("max_conns", upstream.max_conns);
    add("bind_to_device", upstream.device);
    if (upstream.unverified) flow.add_yaml("insecure_skip_verify", "true");
    return flow.text();
}

}  // namespace

void write_forward_args(Sheet& sheet, const Forward& forward) {
    sheet.notes(forward.notes);
    const auto key = [&sheet](std::string_view name, const std::string& text) {
        if (!text.empty()) sheet.key(name, text);
    };
    key("policy", forward.policy);
    key("concurrent", forward.concurrent);
    key("max_concurrent_queries", forward.max_queries);
    key("total_timeout", forward.total_timeout);
    key("bootstrap", forward.bootstrap);
    key("resolv_file", forward.resolv_file);
    if (forward.is_local) sheet.line("local: true");
    if (forward.upstreams.empty()) {
        sheet.comment("without upstreams: uses the DNS servers of this host");
        return;
    }
    sheet.open("upstreams:");
    std::size_t number = 0;
    for (const Upstream& upstream : forward.upstreams) {
        sheet.notes(upstream.notes);
        if (++number > kMaxUpstreams) {
            sheet.note("", upstream.addr + " is not imported: a forward has at most 32 upstreams");
        } else {
            sheet.line("- " + entry_text(upstream));
        }
    }
    sheet.close();
}

void write_forward(Sheet& sheet, const Forward& forward) {
    sheet.open_plugin(forward.tag, "forward");
    if (forward.upstreams.empty() && forward.policy.empty() && forward.resolv_file.empty())
        sheet.line("policy: latency");
    write_forward_args(sheet, forward);
    sheet.close_plugin();
}

void write_servers(Sheet& sheet, const std::string& listen, const std::string& entry,
                   unsigned number, const std::string& max_connections) {
    const std::string suffix = number == 0 ? "" : "_" + std::to_string(number);
    for (const bool over_tcp : {false, true}) {
        const std::string kind = over_tcp ? "tcp" : "udp";
        Flow args;
        args.add("entry", entry).add("listen", listen);
        if (over_tcp && !max_connections.empty()) args.add("max_connections", max_connections);
        Flow plugin;
        plugin.add("tag", kind + suffix).add("type", kind + "_server");
        plugin.add_yaml("args", args.text());
        sheet.line("- " + plugin.text());
    }
}

}  // namespace steer::importing
