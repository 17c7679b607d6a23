// The names in dnsmasq's configuration lines; each includes all names below it, as in dnsmasq.
#include <algorithm>
#include <utility>

#include "matchers/foreign_lines.h"
#include "matchers/list/lines.h"
#include "matchers/list/name_list.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::matchers {
namespace {

void read_line(std::string_view text, int number, NameList& out) {
    const DnsmasqLine line = dnsmasq_line(text);
    const std::string_view key = line.key;
    if (!line.names_domains()) {
        out.list.bad.add(
            {quoted(key) + " does not name a domain with all names below it: only address=, "
                           "server=, local=, ipset= and nftset= do"},
            number);
        return;
    }
    std::string_view rest = *line.value;
    if (!rest.starts_with('/')) {
        ++out.left_out;  // server=192.0.2.1: about all names
        return;
    }
    rest.remove_prefix(1);
    if (rest.empty()) return out.list.bad.add({"no name in " + quoted(text)}, number);
    bool any = false;
    // "server=/NAME/#" leaves the name to the other servers.
    const bool is_exception = (key == "server" || key == "local") &&
                              rest.substr(std::min(rest.rfind('/'), rest.size() - 1) + 1) == "#";
    if (is_exception) return out.list.bad.leave_out("server=/NAME/#", number);
    for (auto slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
        const std::string_view name = rest.substr(0, slash);
        rest.remove_prefix(slash + 1);
        any = true;
        if (name == "#") {  // all names
            out.list.rules.push_back({{RuleKind::regexp, "."}, number});
            continue;
        }
        // A leading dot means the same there.
        auto parsed = parse_name(name.substr(name.starts_with('.') ? 1 : 0));
        if (parsed) {
            out.list.rules.push_back({{RuleKind::domain, *std::move(parsed)}, number});
        } else {
            out.list.bad.add(
                {quoted(name) + " in " + quoted(text) + " is not a name: " + parsed.error().text},
                number);
        }
    }
    if (!any) out.list.bad.add({"no '/' behind the name in " + quoted(text)}, number);
}

}  // namespace

NameList read_dnsmasq(std::string_view bytes, std::string_view file) {
    NameList out{{{}, BadLines(file)}};
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        const std::string_view text = without_comment(line->text);
        if (!text.empty()) read_line(text, line->number, out);
    }
    return out;
}

}  // namespace steer::matchers
