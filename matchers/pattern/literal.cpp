#include "matchers/pattern/literal.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <utility>

#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr int kMaxDepth = 64;        // of groups; deeper ones have no literal
constexpr std::size_t kMaxAny = 64;  // alternatives; more have no literal
constexpr std::size_t kMaxRepeats = 1000;
// Letters behind a backslash that every version of the compiler reads alike.
constexpr std::string_view kSureEscapes = "bBAzZdDwWsSx";

// Texts; every match contains one of them. Empty: unknown.
using Any = std::vector<std::string>;

std::size_t shortest(const Any& any) {
    std::size_t least = any.empty() ? 0 : any.front().size();
    for (const std::string& text : any)
        least = std::min(least, text.size());
    return least;
}

// Walks an expression once, from left to right; `at_` is the next byte.
//
// It proves what it returns only for a small language: plain characters, `.`, `^`, `$`, classes of single characters and
// ranges, groups `(`, `(?:` and `(?i)`, alternatives, the quantifiers `? * + {n} {n,} {n,m}` (lazy ones too), escaped
// punctuation, `\xHH`, and the letters of kSureEscapes. Everything else ends is_sure(), also what a compiler may take as it
// stands: a brace that is no quantifier, a second quantifier.
class Walk {
  public:
    explicit Walk(std::string_view expression) : text_(expression) {}

    // Alternatives up to the end or the closing parenthesis, with the literals of each.
    Any alternatives(int depth) {
        Any all = branch(depth);
        bool known = !all.empty();
        while (peek() == '|') {
            ++at_;
            Any more = branch(depth);
            known = known && !more.empty() && all.size() + more.size() <= kMaxAny;
            if (known) std::move(more.begin(), more.end(), std::back_inserter(all));
        }
        return known ? all : Any{};
    }

    // Whether this parser surely reads it as the compiler does. After alternatives(0).
    [[nodiscard]] bool is_sure() const { return sure_ && at_ == text_.size(); }

  private:
    enum class Atom { plain, group, empty, other };

    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    [[nodiscard]] bool ends_branch() const {
        return at_ >= text_.size() || text_[at_] == '|' || text_[at_] == ')';
    }

    // A sequence: the longest run of plain characters, or the best group.
    Any branch(int depth) {
        Any best;
        std::string run;
        const auto take_run = [&] {
            if (run.size() > shortest(best)) best.assign(1, run);
        };
        while (!ends_branch()) {
            Any inside;
            const Atom atom = next_atom(depth, inside);
            const char last = text_[at_ - 1];
            const bool quantified = is_quantifier();
            const bool optional = quantified && skip_quantifier();
            if (atom == Atom::empty) continue;
            if (atom == Atom::plain && !optional) {
                run += lower(last);
                if (quantified) {
                    take_run();
                    run.erase(0, run.size() - 1);  // a+b: only the last a is next to b
                }
                continue;
            }
            if (atom == Atom::group && !optional && shortest(inside) > shortest(best))
                best = std::move(inside);
            take_run();
            run.clear();
        }
        take_run();
        return best;
    }

    // One character, class, escape or group.
    Atom next_atom(int depth, Any& inside) {
        const char c = text_[at_++];
        switch (c) {
            case '(':
                return group(depth, inside);
            case '[':
                skip_class();
                return Atom::other;
            case '\\':
                return escape();
            case '.':
                return Atom::other;
            case '^':
            case '$':
                return Atom::empty;
            case '*':
            case '+':
            case '?':
            case '{':  // a quantifier without an atom, or text: compilers differ
                sure_ = false;
                return Atom::plain;
            default:
                return Atom::plain;
        }
    }

    Atom group(int depth, Any& inside) {
        if (peek() == '*') sure_ = false;  // (*UTF8)
        if (peek() == '?') {               // (?:...), (?i), (?<name>...): skips the head
            const bool comment = text_.substr(at_).starts_with("?#");
            const auto after = text_.substr(at_ + 1);
            sure_ = sure_ && (after.starts_with(':') || after.starts_with("i)"));
            const std::size_t head = text_.find_first_of(comment ? ")" : ":>)", at_);
            at_ = head == std::string_view::npos ? text_.size() : head;
            if (peek() == ')') {
                ++at_;
                return Atom::empty;
            }
            if (at_ < text_.size()) ++at_;
        }
        if (depth >= kMaxDepth) {
            sure_ = false;  // alternatives of the outer groups may follow
            at_ = text_.size();
            return Atom::other;
        }
        inside = alternatives(depth + 1);
        if (peek() == ')') ++at_;
        return Atom::group;
    }

    void skip_class() {
        if (peek() == '^') ++at_;
        if (peek() == ']') ++at_;  // as first in a class it is a member
        while (at_ < text_.size() && text_[at_] != ']') {
            if (text_[at_] == '[') sure_ = false;  // [:alpha:]
            const bool escaped = text_[at_] == '\\';
            // \Q...\E, or another spelling that may hide the end of the class.
            if (escaped && std::isalnum(byte(at_ + 1)) != 0 && !is_sure_escape(text_[at_ + 1]))
                sure_ = false;
            at_ += escaped ? 2U : 1U;
        }
        at_ = std::min(at_ + 1, text_.size());
    }

    Atom escape() {
        if (at_ >= text_.size()) return Atom::other;
        const char c = text_[at_++];
        if (std::isalnum(static_cast<unsigned char>(c)) == 0)
            return Atom::plain;  // \. \- and so on
        if (!is_sure_escape(c)) sure_ = false;
        if (c == 'b' || c == 'B' || c == 'A' || c == 'z' || c == 'Z') return Atom::empty;
        if (std::string_view("xpPcou0123456789").find(c) != std::string_view::npos) skip_operand(c);
        return Atom::other;  // a class such as \d, or a spelling that is not parsed
    }
    static bool is_sure_escape(char letter) {
        return kSureEscapes.find(letter) != std::string_view::npos;
    }
    // The argument of an escape's letter: {...}, hexadecimal or octal digits, or one character.
    void skip_operand(char letter) {
        if (peek() == '{') {
            skip_braces();
        } else if (letter == 'p' || letter == 'P' || letter == 'c') {
            at_ = std::min(at_ + 1, text_.size());
        } else {
            for (int digits = 0; digits < 2 && std::isxdigit(byte(at_)) != 0; ++digits)
                ++at_;
        }
    }
    void skip_braces() { at_ = std::min(text_.find('}', at_), text_.size() - 1) + 1; }

    // A number of the quantifier that begins before `at`; `at` goes behind it.
    std::size_t number(std::size_t& at) const {
        std::size_t value = 0;
        for (; std::isdigit(byte(at)) != 0; ++at)
            value = std::min<std::size_t>(value * 10 + (byte(at) - std::size_t{'0'}), kMaxRepeats);
        return value;
    }
    // {n}, {n,} or {n,m} at the next byte: the length, and the least number of repetitions.
    [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> braces() const {
        if (peek() != '{' || std::isdigit(byte(at_ + 1)) == 0) return std::nullopt;
        std::size_t at = at_ + 1;
        const std::size_t least = number(at);
        if (byte(at) == ',') number(++at);
        if (byte(at) != '}') return std::nullopt;
        return std::pair{at + 1 - at_, least};
    }
    [[nodiscard]] bool is_quantifier() const {
        const char c = peek();
        return c == '?' || c == '*' || c == '+' || braces().has_value();
    }
    // True if the quantifier allows none.
    bool skip_quantifier() {
        const auto counted = braces();
        const bool optional = counted ? counted->second == 0 : peek() != '+';
        at_ += counted ? counted->first : 1;
        if (peek() == '?' || peek() == '+') ++at_;  // lazy, possessive
        return optional;
    }
    [[nodiscard]] unsigned char byte(std::size_t i) const {
        return i < text_.size() ? static_cast<unsigned char>(text_[i]) : 0;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool sure_ = true;
};

}  // namespace

std::size_t shortest_literal(std::string_view expression) {
    return shortest(Walk(expression).alternatives(0));
}

std::vector<std::string> required_literals(std::string_view expression) {
    Walk walk(expression);
    auto all = walk.alternatives(0);
    return walk.is_sure() ? all : Any{};
}

}  // namespace steer::matchers
