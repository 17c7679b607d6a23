// qtype, qclass, rcode, vlan: a number of the question, the response or the frame is one of the
// given ones.
#include <algorithm>
#include <charconv>

#include "control/config/plugins/words.h"
#include "control/config/text/dns_names.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kTypeForms = "types, by number or by name such as A or HTTPS";
constexpr std::string_view kClassForms =
    "classes, 0..65535 or by name such as IN, CH, ANY or CLASS255";
constexpr std::string_view kRcodeForms = "response codes, 0..4095 or by name such as NXDOMAIN";

constexpr std::string_view kVlanForms = "VLAN ids, 0..4095, or ranges of them such as 100-199";

std::optional<std::uint16_t> parse_vlan(std::string_view word) {
    constexpr std::uint16_t kMost = 4095;
    std::uint16_t id = 0;
    const auto [end, error] = std::from_chars(word.begin(), word.end(), id);
    if (error != std::errc() || end != word.end() || id > kMost) return std::nullopt;
    return id;
}

// One number, or the two ends of a range.
struct Numbers {
    std::uint16_t first, last;
};
std::optional<Numbers> one(std::optional<std::uint16_t> number) {
    return number ? std::optional<Numbers>({*number, *number}) : std::nullopt;
}
std::optional<Numbers> parse_vlans(std::string_view word) {
    const std::size_t dash = word.find('-');
    if (dash == std::string_view::npos) return one(parse_vlan(word));
    const auto first = parse_vlan(word.substr(0, dash)), last = parse_vlan(word.substr(dash + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    return Numbers{*first, *last};
}

std::optional<Numbers> numbers_of(NumberOf of, std::string_view word) {
    switch (of) {
        case NumberOf::type:
            return one(parse_qtype(word));
        case NumberOf::klass:
            return one(parse_qclass(word));
        case NumberOf::rcode:
            return one(parse_rcode(word));
        case NumberOf::vlan:
            return parse_vlans(word);
    }
    return std::nullopt;
}

template <NumberOf Of, const std::string_view& Forms>
void read_number_match_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    NumberMatch out;
    out.of = Of;
    for (const Text& item : words) {
        for (const Text& word : words_of(item.value, item.line)) {
            if (const auto numbers = numbers_of(Of, word.value)) {
                for (unsigned n = numbers->first; n <= numbers->last; ++n)
                    out.numbers.push_back(static_cast<std::uint16_t>(n));
            } else {
                in.report().error(word.line, owner_of(plugin) + " has " +
                                                 matchers::quoted(word.value) + ": expected " +
                                                 std::string(Forms));
            }
        }
    }
    std::sort(out.numbers.begin(), out.numbers.end());
    out.numbers.erase(std::unique(out.numbers.begin(), out.numbers.end()), out.numbers.end());
    plugin.args = std::move(out);
}

constexpr std::string_view kNumberMatchArgs =
    "list of numbers or names, in any case; or the same words as one text";

}  // namespace

const PluginType kQtypeType{
    "qtype",
    Role::matcher,
    "Matches if the query has one of the types.",
    "qtype TYPE...",
    kNumberMatchArgs,
    no_rows,
    read_words<kTypeForms, read_number_match_all<NumberOf::type, kTypeForms>>,
    read_quick_words<kTypeForms, read_number_match_all<NumberOf::type, kTypeForms>>};
const PluginType kQclassType{
    "qclass",
    Role::matcher,
    "Matches if the query has one of the classes: IN, CS, CH (or CHAOS), HS (or HESIOD), NONE, ANY "
    "(or `*`), `CLASS` with a number such as CLASS255, or a number.",
    "qclass CLASS...",
    kNumberMatchArgs,
    no_rows,
    read_words<kClassForms, read_number_match_all<NumberOf::klass, kClassForms>>,
    read_quick_words<kClassForms, read_number_match_all<NumberOf::klass, kClassForms>>};
const PluginType kRcodeType{
    "rcode",
    Role::matcher,
    "Matches if there is a response with one of the response codes.",
    "rcode RCODE...",
    kNumberMatchArgs,
    no_rows,
    read_words<kRcodeForms, read_number_match_all<NumberOf::rcode, kRcodeForms>>,
    read_quick_words<kRcodeForms, read_number_match_all<NumberOf::rcode, kRcodeForms>>};

const PluginType kVlanType{
    "vlan",
    Role::matcher,
    "Matches if the query's frame has one of these VLAN ids. With two tags, the inner one counts; "
    "0 "
    "stands for a frame without a tag. A query over TCP, TLS, HTTP or a kernel socket has no "
    "frame, "
    "so no id matches it.",
    "vlan ID|ID-ID...",
    "list of ids and ranges, as in `[10, 100-199]`; or the same words as one text",
    no_rows,
    read_words<kVlanForms, read_number_match_all<NumberOf::vlan, kVlanForms>>,
    read_quick_words<kVlanForms, read_number_match_all<NumberOf::vlan, kVlanForms>>};

}  // namespace steer::config
