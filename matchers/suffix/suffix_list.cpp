#include "matchers/suffix/suffix_list.h"

#include <idn2.h>

#include <algorithm>
#include <memory>
#include <string>

#include "matchers/quote.h"

namespace steer::matchers {
namespace {

bool has_only_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; });
}

// Empty: it is no domain name.
std::string to_a_labels(const std::string& name) {
    char* out = nullptr;
    if (idn2_to_ascii_8z(name.c_str(), &out, IDN2_NONTRANSITIONAL) != IDN2_OK) return {};
    const std::unique_ptr<char, decltype(&idn2_free)> owner(out, &idn2_free);
    return out;
}

}  // namespace

Result<PublicSuffixes> read_suffix_list(std::string_view text) {
    using Kind = PublicSuffixBuilder::Kind;
    PublicSuffixBuilder builder;
    bool is_private = false;
    for (int line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view whole = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (whole.starts_with("//")) {
            if (whole.find("===BEGIN PRIVATE DOMAINS===") != whole.npos) is_private = true;
            if (whole.find("===END PRIVATE DOMAINS===") != whole.npos) is_private = false;
            continue;
        }
        // A rule ends at the first white space.
        std::string_view rule =
            whole.substr(0, std::min(whole.find_first_of(" \t\r"), whole.size()));
        if (rule.empty() || rule == "*") continue;  // "*" holds without being written
        const std::string_view written = rule;
        Kind kind = Kind::plain;
        if (rule.starts_with("*.")) {
            kind = Kind::any_below;
            rule.remove_prefix(2);
        } else if (rule.starts_with('!')) {
            kind = Kind::exception;
            rule.remove_prefix(1);
        }
        const std::string name =
            has_only_ascii(rule) ? std::string(rule) : to_a_labels(std::string(rule));
        if (name.find('*') != name.npos || !builder.add(name, kind, is_private))
            return Error{"the rule " + quoted(written) +
                             " is no public suffix: expected a domain name of 1 to 7 labels, after "
                             "'*.' or '!' or alone",
                         {},
                         line};
    }
    return builder.build();
}

}  // namespace steer::matchers
