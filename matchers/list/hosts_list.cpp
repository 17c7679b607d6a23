#include "matchers/list/hosts_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "matchers/list/lines.h"
#include "matchers/name_text.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::array<std::string_view, 10> kOwnNames{
    "localhost",    "localhost.localdomain", "local",           "broadcasthost", "ip6-localhost",
    "ip6-loopback", "ip6-localnet",          "ip6-mcastprefix", "ip6-allnodes",  "ip6-allrouters"};

template <class List>
bool has(const List& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

bool leads_nowhere(std::string_view address) {
    constexpr std::array<std::string_view, 4> kNowhere{"0.0.0.0", "127.0.0.1", "::", "::1"};
    return has(kNowhere, address);
}

bool is_left_out_of_hosts(std::string_view name) {
    return has(kOwnNames, name) || IpAddress::parse(name).has_value();
}

HostsList read_hosts(std::string_view bytes, std::string_view file) {
    HostsList out{{{}, BadLines(file)}};
    if (auto error = not_utf8(bytes)) {
        out.list.bad.add(*std::move(error), 1);
        return out;
    }
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        std::string_view rest = without_comment(line->text);
        if (rest.empty()) continue;
        const std::string_view address = take_word(rest);
        if (!leads_nowhere(address)) {
            Error error{quoted(address) +
                        " at the start of a line: expected 0.0.0.0, "
                        "127.0.0.1, :: or ::1 and then names"};
            if (IpAddress::parse(address)) {
                out.list.bad.add_of_form(std::move(error), line->number);
            } else {
                out.list.bad.add(std::move(error), line->number);
            }
            continue;
        }
        for (auto name = take_word(rest); !name.empty(); name = take_word(rest)) {
            if (is_left_out_of_hosts(name)) {
                ++out.left_out;
            } else if (auto text = parse_name(name)) {
                out.list.rules.push_back({{RuleKind::full, *std::move(text)}, line->number});
            } else {
                out.list.bad.add_of_form(std::move(text).error(), line->number);
            }
        }
    }
    return out;
}

}  // namespace steer::matchers
