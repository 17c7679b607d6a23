// qtype, qclass, rcode: a number of the question or the response is one of these.
#include <algorithm>

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

std::optional<std::uint16_t> number_of(NumberOf of, std::string_view word) {
    switch (of) {
        case NumberOf::type:
            return parse_qtype(word);
        case NumberOf::klass:
            return parse_qclass(word);
        case NumberOf::rcode:
            return parse_rcode(word);
    }
    return std::nullopt;
}

template <NumberOf Of, const std::string_view& Forms>
void read_number_match_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    NumberMatch out;
    out.of = Of;
    for (const Text& item : words) {
        for (const Text& word : words_of(item.value, item.line)) {
            if (const auto number = number_of(Of, word.value)) {
                out.numbers.push_back(*number);
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

}  // namespace steer::config
