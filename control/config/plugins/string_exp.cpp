// string_exp: compares a text of the query, the response or the environment with words. It holds if
// the text equals, begins with, ends with, contains or matches one of them, or is empty.
//
// Cheaper matchers replace it where possible: name rules for a name, numbers for a decimal text, an
// address for a client. A result that is the same for every query is computed here. Workers compare
// the others (TextMatch) at each query.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/plugins/words.h"
#include "control/config/values.h"
#include "matchers/pattern/text_test.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

using matchers::TextOperation;

constexpr std::string_view kForm = "SOURCE OPERATION WORD..., as in 'qname prefix www.'";
constexpr std::array<std::string_view, 9> kSources{
    "url_path", "server_name", "qname", "qtype", "qclass", "rcode", "resp_ip", "mark", "client_ip"};

struct Expression {
    std::string source;
    TextOperation operation = TextOperation::eq;
    std::vector<std::string> words;
    int line = 0;
};

template <std::size_t N>
std::string listed(const std::array<std::string_view, N>& words) {
    std::string out;
    for (const auto word : words)
        out.append(out.empty() ? "" : ", ").append(word);
    return out;
}

// No value: a regexp cannot be compiled, and an error is reported.
std::optional<matchers::TextTest> test_of(Reading& in, const Expression& e, const Plugin& plugin) {
    auto test = matchers::TextTest::build(e.operation, e.words);
    const auto ready = test ? test->prepare(1) : Result<void>(test.error());
    if (ready) return std::move(*test);
    in.report().error(e.line, owner_of(plugin) + ": " + ready.error().text);
    return std::nullopt;
}

// ---- what is the same for every query

void read_constant(Reading& in, const Expression& e, std::string_view text, Plugin& plugin) {
    const auto test = test_of(in, e, plugin);
    plugin.args = Constant{test && test->holds(text, 0)};
}

// ---- numbers

PluginIndex add_part(Reading& in, const Plugin& of, std::string_view type,
                     decltype(Plugin::args) args) {
    Plugin part;
    part.tag = of.tag + "." + std::string(type);
    part.type = type;
    part.role = Role::matcher;
    part.line = of.line;
    part.args = std::move(args);
    return in.add_in_place(std::move(part));
}

// Without a response the text of its code is empty.
void read_number(Reading& in, const Expression& e, NumberOf of, Plugin& plugin) {
    plugin.args = Constant{false};
    const auto test = test_of(in, e, plugin);
    if (!test) return;
    NumberMatch numbers;
    numbers.of = of;
    const std::uint32_t most = of == NumberOf::rcode ? 15 : UINT16_MAX;
    for (std::uint32_t n = 0; n <= most; ++n) {
        if (test->holds(std::to_string(n), 0))
            numbers.numbers.push_back(static_cast<std::uint16_t>(n));
    }
    if (of != NumberOf::rcode || !test->holds("", 0)) {
        if (!numbers.numbers.empty()) plugin.args = std::move(numbers);
        return;
    }
    AnyMatch either;
    either.matches.push_back({add_part(in, plugin, "has_resp", HasResp{}), true, e.line});
    if (!numbers.numbers.empty())
        either.matches.push_back(
            {add_part(in, plugin, "rcode", std::move(numbers)), false, e.line});
    plugin.args = std::move(either);
}

// ---- names

// A rule of its own kind where there is one: it is found faster.
matchers::Rule rule_of(TextOperation operation, std::string word) {
    const bool at_end = operation == TextOperation::eq || operation == TextOperation::suffix;
    if (at_end && word.ends_with('.')) word.pop_back();
    if (operation == TextOperation::eq) {
        auto full = matchers::parse_rule("full:" + word, matchers::RuleKind::full);
        if (full && full->text == word) return *std::move(full);
    }
    if (operation == TextOperation::contains) return {matchers::RuleKind::keyword, std::move(word)};
    const bool at_begin = operation != TextOperation::suffix;
    const std::string text = matchers::expression_of(word);
    const bool to_end = operation != TextOperation::prefix;
    return {matchers::RuleKind::regexp, (at_begin ? "^" : "") + text + (to_end ? "\\z" : "")};
}

void read_string_exp_name(const Expression& e, Plugin& plugin) {
    Qname out;
    const auto add = [&](matchers::Rule rule) {
        out.rules.push_back({std::move(rule), 0, e.line});
    };
    if (e.operation == TextOperation::zl) add(rule_of(TextOperation::eq, ""));
    for (const std::string& word : e.words) {
        if (e.operation == TextOperation::regexp) {
            add({matchers::RuleKind::regexp, word});
        } else {
            add(rule_of(e.operation, lowered(word)));
        }
    }
    plugin.args = std::move(out);
}

// ---- addresses, marks

bool is_address(const std::string& word) {
    const auto address = IpAddress::parse(word);
    return address && address->to_string() == word;
}

// A text that is never the text of an address never matches.
void check_addresses(Reading& in, const Expression& e, const Plugin& plugin) {
    if (e.operation != TextOperation::eq) return;
    for (const std::string& words : e.words) {
        for (const Text& word : words_of(words, e.line)) {
            if (is_address(word.value)) continue;
            const auto address = IpAddress::parse(word.value);
            in.report().warn(e.line, owner_of(plugin) + " compares an address with " +
                                         matchers::quoted(word.value) + ", which never matches: " +
                                         (address ? "write '" + address->to_string() + "'"
                                                  : "write an address, or the matcher '" +
                                                        e.source + "' for prefixes"));
        }
    }
}

void read_string_exp_text(Reading& in, const Expression& e, TextOf of, Plugin& plugin) {
    plugin.args = Constant{false};
    if (of == TextOf::client || of == TextOf::response) check_addresses(in, e, plugin);
    if (of == TextOf::client && e.operation == TextOperation::zl) return;
    if (of == TextOf::client && e.operation == TextOperation::eq) {
        IpMatch out;
        for (const std::string& word : e.words) {
            if (!is_address(word)) continue;
            out.prefixes.push_back(*matchers::Prefix::parse(word));
        }
        if (!out.prefixes.empty()) plugin.args = std::move(out);
        return;
    }
    if (test_of(in, e, plugin)) plugin.args = TextMatch{of, e.operation, e.words};
}

// A name's case does not count (RFC 6066 3); what comes is in lower case.
void read_server_name(Reading& in, Expression e, Plugin& plugin) {
    if (e.operation != TextOperation::regexp) {
        for (std::string& word : e.words)
            word = lowered(word);
    }
    if (test_of(in, e, plugin)) plugin.args = TextMatch{TextOf::server_name, e.operation, e.words};
}

// ---- all

bool is_variable(const Expression& e) {
    return e.source.starts_with('$') && e.source.size() > 1;
}

void take_string_exp(Reading& in, const Expression& e, Plugin& plugin) {
    if (is_variable(e))
        return read_constant(in, e, in.environment(e.source.substr(1)).value_or(""), plugin);
    if (e.source == "server_name") return read_server_name(in, e, plugin);
    if (e.source == "qname") return read_string_exp_name(e, plugin);
    if (e.source == "qtype") return read_number(in, e, NumberOf::type, plugin);
    if (e.source == "qclass") return read_number(in, e, NumberOf::klass, plugin);
    if (e.source == "rcode") return read_number(in, e, NumberOf::rcode, plugin);
    const TextOf of = e.source == "client_ip"  ? TextOf::client
                      : e.source == "resp_ip"  ? TextOf::response
                      : e.source == "url_path" ? TextOf::url_path
                                               : TextOf::marks;
    read_string_exp_text(in, e, of, plugin);
}

// Inline, a comma separates words if no text can contain one.
bool splits_at_commas(const Expression& e) {
    return e.operation != TextOperation::regexp && !is_variable(e) && e.source != "resp_ip" &&
           e.source != "mark" && e.source != "url_path";
}

std::optional<TextOperation> operation_of(std::string_view word) {
    const auto& all = matchers::kTextOperations;
    const auto* const at = std::find(all.begin(), all.end(), word);
    if (at == all.end()) return std::nullopt;
    return static_cast<TextOperation>(at - all.begin());
}

// `words`: the items of a list, or what stands in place.
void read_expression(Reading& in, const std::vector<Text>& words, bool in_place, int line,
                     Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    plugin.args = Constant{false};
    if (words.size() < 2) {
        in.report().error(line, owner + " has too few words: expected " + std::string(kForm));
        return;
    }
    Expression e;
    e.source = words[0].value;
    e.line = words[0].line;
    if (!is_variable(e) &&
        std::find(kSources.begin(), kSources.end(), e.source) == kSources.end()) {
        in.report().error(e.line, owner + " has the unknown source " + matchers::quoted(e.source) +
                                      ": expected $VARIABLE of the environment, or one of " +
                                      listed(kSources));
        return;
    }
    const auto operation = operation_of(words[1].value);
    if (!operation) {
        in.report().error(e.line, owner + " has the operation " + matchers::quoted(words[1].value) +
                                      ": expected one of " + listed(matchers::kTextOperations));
        return;
    }
    e.operation = *operation;
    for (std::size_t i = 2; i < words.size(); ++i) {
        if (!in_place || !splits_at_commas(e)) {
            e.words.push_back(words[i].value);
            continue;
        }
        for (const Text& word : words_of(words[i].value, line))
            e.words.push_back(word.value);
    }
    if (e.words.empty() != (e.operation == TextOperation::zl)) {
        in.report().error(
            e.line, owner + (e.words.empty()
                                 ? " has no word to compare with: expected " + std::string(kForm)
                                 : " has words after 'zl': remove them"));
        return;
    }
    take_string_exp(in, e, plugin);
}

void read_string_exp_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    std::vector<Text> split;
    for (std::string_view rest = trimmed(words); !rest.empty();)
        split.push_back({std::string(take_word(rest)), line});
    read_expression(in, split, true, line, plugin);
}

// A list of one text is that text.
void read_string_exp(Reading& in, const Node* args, Plugin& plugin) {
    const int line = args == nullptr ? plugin.line : args->line;
    if (args != nullptr && args->is_text())
        return read_string_exp_quick(in, args->text, line, plugin);
    std::vector<Text> texts;
    const std::size_t before = in.report().error_count();
    if (args != nullptr && args->is_list())
        texts = read_texts(in, *args, {"args", owner_of(plugin), line});
    plugin.args = Constant{false};
    if (in.report().error_count() != before) return;
    if (texts.size() == 1) return read_string_exp_quick(in, texts[0].value, texts[0].line, plugin);
    read_expression(in, texts, false, line, plugin);
}

}  // namespace

const PluginType kStringExpType{
    "string_exp",
    Role::matcher,
    "Compares a text of the query with one or more words.\n\nOperations: `eq` (equal), `prefix`, "
    "`suffix`, `contains`, `regexp` (anywhere in the text), and `zl` (the text is "
    "empty).\n\nSources:\n\n- `qname`: the name without the final dot; case does not matter.\n- "
    "`qtype`, `qclass`, `rcode`: decimal numbers; `rcode` is empty without a response.\n- "
    "`client_ip`: the client's address.\n- `resp_ip`: the addresses of the A and AAAA records in "
    "the answer, in order, separated by commas, up to 4,096 characters.\n- `mark`: the marks in "
    "ascending order, separated by commas.\n- `$VARIABLE`: an environment variable, read once; "
    "empty if it is not set.\n- `url_path`: the path of a query over HTTP, without `?` and what "
    "follows, up to 255 characters; otherwise empty.\n- `server_name`: the name in the client's "
    "TLS handshake, up to 255 characters; otherwise empty. Case does not matter, except that a "
    "`regexp` must be in lower case.",
    "string_exp SOURCE OPERATION WORD...",
    "the words, as one text or as a list. In one text, the words of `eq`, `prefix`, `suffix` and "
    "`contains` may also be separated by commas, except for sources whose text can contain commas "
    "(`resp_ip`, `mark`, `url_path`, `$VARIABLE`)",
    no_rows,
    read_string_exp,
    read_string_exp_quick};

}  // namespace steer::config
