#include "tools/rossim/query.h"

#include <algorithm>
#include <charconv>

#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

using Stack = std::vector<bool>;  // the back is the top

std::optional<std::int64_t> as_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

bool less(std::string_view left, std::string_view right) {
    const auto a = as_number(left);
    const auto b = as_number(right);
    return a && b ? *a < *b : left < right;
}

void apply_operator(Stack& stack, char op) {
    if (stack.empty()) return;
    const bool top = stack.back();
    if (op == '!') {
        stack.back() = !top;
    } else if (op == '.') {
        stack.push_back(top);
    } else if ((op == '&' || op == '|') && stack.size() >= 2) {
        stack.pop_back();
        stack.back() = op == '&' ? (stack.back() && top) : (stack.back() || top);
    }
}

void apply_index(Stack& stack, std::size_t index, bool ends_word) {
    if (index >= stack.size()) return;
    const bool value = stack[stack.size() - 1 - index];
    if (ends_word) stack.clear();
    stack.push_back(value);
}

void apply_operations(Stack& stack, std::string_view ops) {
    for (std::size_t i = 0; i < ops.size();) {
        if (!is_digit(ops[i])) {
            apply_operator(stack, ops[i++]);
            continue;
        }
        std::size_t index = 0;
        while (i < ops.size() && is_digit(ops[i])) {
            index = std::min<std::size_t>(index * 10 + static_cast<std::size_t>(ops[i++] - '0'),
                                          1'000'000);
        }
        apply_index(stack, index, i == ops.size());
        if (i < ops.size() && ops[i] == '.') ++i;  // only ends the index
    }
}

}  // namespace

Query::Query(const std::vector<std::string>& words) {
    terms_.reserve(words.size());
    for (const std::string& word : words)
        terms_.push_back(parse_term(word));
}

Query::Term Query::parse_term(std::string_view word) {
    const char first = word.empty() ? '\0' : word.front();
    if (first == '#') return {Kind::operations, std::string(word.substr(1)), {}};
    if (first == '-') return {Kind::lacks, std::string(word.substr(1)), {}};
    Kind kind = Kind::equal;
    if (first == '<') kind = Kind::less;
    if (first == '>') kind = Kind::greater;
    if (first == '<' || first == '>' || first == '=') word.remove_prefix(1);
    const std::size_t equal = word.find('=');
    if (equal == std::string_view::npos) return {Kind::has, std::string(word), {}};
    return {kind, std::string(word.substr(0, equal)), std::string(word.substr(equal + 1))};
}

bool Query::holds(const Term& term, const Properties& row) {
    std::string scratch;
    const auto value = row.property(term.name, scratch);
    switch (term.kind) {
        case Kind::has:
            return value.has_value();
        case Kind::lacks:
            return !value;
        case Kind::less:
            return value && less(*value, term.value);
        case Kind::greater:
            return value && less(term.value, *value);
        case Kind::equal:
        case Kind::operations:  // which matches() has
            break;
    }
    return value && *value == term.value;
}

bool Query::matches(const Properties& row) const {
    if (terms_.empty()) return true;
    if (terms_.size() == 1 && terms_[0].kind != Kind::operations) return holds(terms_[0], row);
    Stack stack;
    for (const Term& term : terms_) {
        if (term.kind == Kind::operations) {
            apply_operations(stack, term.name);
        } else {
            stack.push_back(holds(term, row));
        }
    }
    return std::all_of(stack.begin(), stack.end(), [](bool value) { return value; });
}

}  // namespace rossim
