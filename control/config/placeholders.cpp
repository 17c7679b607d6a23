#include "control/config/placeholders.h"

#include <algorithm>
#include <array>

#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::array<std::string_view, 9> kOfQueries{"qname",     "qtype",   "qclass",
                                                     "rcode",     "resp_ip", "cname_to",
                                                     "client_ip", "marks",   "server_name"};

// What stands between the braces. Nothing: leave the text as it is.
std::optional<std::string> value_of(std::string_view inside, int line, Reading& in) {
    if (std::find(kOfQueries.begin(), kOfQueries.end(), inside) != kOfQueries.end())
        return std::nullopt;
    if (inside.starts_with("env:")) inside.remove_prefix(4);
    const auto dash = inside.find(":-");
    const std::string name(inside.substr(0, dash));
    if (auto value = in.environment(name)) return value;
    if (dash != std::string_view::npos) return std::string(inside.substr(dash + 2));
    in.report().error(line, "the environment variable " + matchers::quoted(name) +
                                " is not set: set it, or write ${" + name + ":-DEFAULT}");
    return std::nullopt;
}

void expand(std::string& text, int line, Reading& in) {
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
            value_of(std::string_view(text).substr(at + 2, close - at - 2), line, in);
        out.append(value ? *value : text.substr(at, close + 1 - at));
        done = close + 1;
    }
    if (done > 0) text = out.append(text, done);
}

}  // namespace

void expand_placeholders(Node& node, Reading& in) {
    if (node.is_text()) expand(node.text, node.line, in);
    for (Node& item : node.items)
        expand_placeholders(item, in);
    for (Entry& entry : node.entries)
        expand_placeholders(entry.value, in);
}

}  // namespace steer::config
