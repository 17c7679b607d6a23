#include "control/config/placeholders.h"

#include <algorithm>
#include <array>

#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// Names that ForgeDNS replaces while it runs, and `cname_to`: texts with them are left as they are.
constexpr std::array<std::string_view, 19> kOfQueries{"qname",
                                                      "qtype",
                                                      "qtype_name",
                                                      "qclass",
                                                      "qclass_name",
                                                      "client_ip",
                                                      "client_port",
                                                      "server_name",
                                                      "url_path",
                                                      "marks",
                                                      "has_resp",
                                                      "rcode",
                                                      "rcode_name",
                                                      "resp_ip",
                                                      "cname_to",
                                                      "cron_plugin_tag",
                                                      "cron_job_name",
                                                      "cron_trigger_kind",
                                                      "cron_scheduled_at_unix_ms"};

// The value of a placeholder. No value: leave the text unchanged.
std::optional<std::string> value_of(std::string_view inside, int line, const std::string& path,
                                    Reading& in) {
    if (std::find(kOfQueries.begin(), kOfQueries.end(), trimmed(inside)) != kOfQueries.end())
        return std::nullopt;
    if (inside.starts_with("env:")) inside.remove_prefix(4);
    const auto dash = inside.find(":-");
    const std::string name(inside.substr(0, dash));
    if (auto value = in.environment(name)) return value;
    if (dash != std::string_view::npos) return std::string(inside.substr(dash + 2));
    in.report().error(line, name.empty() ? "a placeholder without a name in " + path +
                                               ": write ${NAME}, or $${ for a literal ${"
                                         : "the environment variable " + matchers::quoted(name) +
                                               " in " + path + " is not set: set it, or write ${" +
                                               name + ":-DEFAULT}");
    return std::nullopt;
}

void expand(Node& node, const std::string& path, Reading& in) {
    std::string& text = node.text;
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", done)) {
        const bool escaped = at > done && text[at - 1] == '$';
        const std::size_t close = text.find('}', at);
        if (escaped) {
            out.append(text, done, at - 1 - done).append("${");
            done = at + 2;
            continue;
        }
        if (close == std::string::npos) break;
        out.append(text, done, at - done);
        const auto value =
            value_of(std::string_view(text).substr(at + 2, close - at - 2), node.line, path, in);
        out.append(value ? *value : text.substr(at, close + 1 - at));
        node.replaced = node.replaced || value;
        done = close + 1;
    }
    if (done > 0) text = out.append(text, done);
}

// `path`: where in the document, "plugins[0].args.upstreams[1].addr".
void expand_at(Node& node, std::string& path, Reading& in) {
    if (node.is_text()) return expand(node, path, in);
    const std::size_t here = path.size();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        path += "[" + std::to_string(i) + "]";
        expand_at(node.items[i], path, in);
        path.resize(here);
    }
    for (Entry& entry : node.entries) {
        path += (path.empty() ? "" : ".") + entry.key;
        expand_at(entry.value, path, in);
        path.resize(here);
    }
}

}  // namespace

void expand_placeholders(Node& top, Reading& in) {
    if (in.keeps_placeholders()) return;
    std::string path;
    expand_at(top, path, in);
}

}  // namespace steer::config
