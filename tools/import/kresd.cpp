#include "tools/import/kresd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr unsigned kDeepestValue = 32;

struct LuaToken {
    enum class Kind : std::uint8_t { name, text, number, sign, end };
    Kind kind = Kind::end;
    std::string text;
    int line = 0;
    std::size_t from = 0;  // in the file
    bool is_open = false;  // a text without its end
};

bool is_lua_letter(char c) {
    return matchers::is_letter(c) || matchers::is_digit(c) || c == '_';
}

class LuaScanner {
  public:
    explicit LuaScanner(std::string_view text) : text_(text) {}

    LuaToken next() {
        skip();
        LuaToken out;
        out.line = line_;
        out.from = at_;
        if (at_ >= text_.size()) return out;
        const char c = text_[at_];
        if (matchers::is_digit(c)) {
            out.kind = LuaToken::Kind::number;
            while (at_ < text_.size() && (is_lua_letter(text_[at_]) || text_[at_] == '.'))
                out.text += text_[at_++];
        } else if (is_lua_letter(c)) {
            out.kind = LuaToken::Kind::name;
            while (at_ < text_.size() && is_lua_letter(text_[at_]))
                out.text += text_[at_++];
        } else if (c == '"' || c == '\'') {
            quoted(out);
        } else if (const auto level = long_bracket(); level) {
            out.kind = LuaToken::Kind::text;
            out.text = long_text(*level, out.is_open);
        } else {
            out.kind = LuaToken::Kind::sign;
            out.text = c;
            ++at_;
            for (const std::string_view sign : {"==", "~=", "<=", ">=", ".."}) {
                if (text_.substr(out.from).starts_with(sign)) {
                    out.text = sign;
                    at_ = out.from + 2;
                }
            }
        }
        return out;
    }

  private:
    void skip() {
        while (at_ < text_.size()) {
            if (is_blank(text_[at_])) {
                if (text_[at_] == '\n') ++line_;
                ++at_;
            } else if (text_.substr(at_).starts_with("--")) {
                at_ += 2;
                bool is_open = false;
                if (const auto level = long_bracket(); level) {
                    long_text(*level, is_open);
                } else {
                    at_ = std::min(text_.find('\n', at_), text_.size());
                }
            } else {
                return;
            }
        }
    }

    void quoted(LuaToken& out) {
        const char quote = text_[at_++];
        out.kind = LuaToken::Kind::text;
        while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
            if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
            out.text += text_[at_++];
        }
        out.is_open = at_ >= text_.size() || text_[at_] != quote;
        if (!out.is_open) ++at_;
    }

    // The number of '=' in "[==["; nothing: there is none here.
    std::optional<std::size_t> long_bracket() const {
        const std::string_view rest = text_.substr(at_);
        if (!rest.starts_with('[')) return std::nullopt;
        const auto end = rest.find_first_not_of('=', 1);
        if (end == std::string_view::npos || rest[end] != '[') return std::nullopt;
        return end - 1;
    }
    std::string long_text(std::size_t level, bool& is_open) {
        const std::string close = "]" + std::string(level, '=') + "]";
        const std::size_t start = at_ + level + 2;
        const std::size_t end = text_.find(close, start);
        is_open = end == std::string_view::npos;
        const std::string_view inside = text_.substr(start, end - start);
        line_ += static_cast<int>(std::ranges::count(inside, '\n'));
        at_ = is_open ? text_.size() : end + close.size();
        return std::string(inside);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int line_ = 1;
};

// Names of amounts that kresd defines.
constexpr std::array<std::pair<std::string_view, double>, 10> kLuaNumbers{{
    {"KB", 1024.0},
    {"MB", 1048576.0},
    {"GB", 1073741824.0},
    {"sec", 1000.0},
    {"second", 1000.0},
    {"minute", 60000.0},
    {"min", 60000.0},
    {"hour", 3600000.0},
    {"day", 86400000.0},
    {"week", 604800000.0},
}};

class KresdReader {
  public:
    explicit KresdReader(std::string_view text) : text_(text), scanner_(text) { advance(); }

    KresdFile read() {
        bool is_known = false;
        while (token_.kind != LuaToken::Kind::end && !out_.failure) {
            if (is_sign(";")) {
                advance();
                continue;
            }
            const LuaToken first = token_;
            if (is_block(first)) {
                skip_block();
                note(first, "scripts are not run");
            } else if (auto statement = read_statement(); statement) {
                is_known = is_known || is_of_kresd(*statement);
                out_.statements.push_back(std::move(*statement));
            } else if (!out_.failure) {
                skip_line(first);
                note(first, "it is not an assignment or a call with constant values");
            }
        }
        if (!out_.failure && !is_known)
            out_.failure = Failure{
                0, "is not a configuration of Knot Resolver: no line has a statement of kresd"};
        return std::move(out_);
    }

  private:
    // ---- words

    void advance() {
        token_ = scanner_.next();
        if (token_.is_open && !out_.failure)
            out_.failure = Failure{token_.line, "has a quote or a bracket that is not closed"};
    }
    [[nodiscard]] bool is_sign(std::string_view sign) const {
        return token_.kind == LuaToken::Kind::sign && token_.text == sign;
    }
    bool take_sign(std::string_view sign) {
        if (!is_sign(sign)) return false;
        advance();
        return true;
    }
    [[nodiscard]] bool is_word(std::string_view word) const {
        return token_.kind == LuaToken::Kind::name && token_.text == word;
    }
    [[nodiscard]] std::string line_from(std::size_t from) const {
        return std::string(trimmed(text_.substr(from, text_.find('\n', from) - from)));
    }
    void note(const LuaToken& at, const std::string& why) {
        out_.notes.push_back(
            {line_place(at.line), in_quotes(line_from(at.from)) + " is not imported: " + why});
    }

    // ---- what is skipped

    static bool is_block(const LuaToken& token) {
        constexpr std::array<std::string_view, 9> kWords{
            "if", "for", "while", "do", "repeat", "function", "local", "return", "goto"};
        return token.kind == LuaToken::Kind::name &&
               std::ranges::find(kWords, token.text) != kWords.end();
    }
    // One statement of a script: to its `end`, or of one line.
    void skip_block() {
        const int line = token_.line;
        unsigned depth = 0, brackets = 0;
        bool has_loop_head = false;
        while (token_.kind != LuaToken::Kind::end && !out_.failure) {
            const bool is_line_done = depth == 0 && brackets == 0 && token_.line != line;
            if (is_line_done && !follows_) return;
            follows_ = false;
            if (token_.kind == LuaToken::Kind::name) {
                const std::string& word = token_.text;
                if (word == "for" || word == "while") has_loop_head = true;
                if (word == "if" || word == "for" || word == "while" || word == "function" ||
                    word == "repeat" || (word == "do" && !has_loop_head))
                    ++depth;
                if (word == "do") has_loop_head = false;
                if ((word == "end" || word == "until") && depth > 0 && --depth == 0 &&
                    brackets == 0) {
                    const bool is_until = word == "until";
                    const int end = token_.line;
                    advance();
                    while (is_until && token_.kind != LuaToken::Kind::end && token_.line == end)
                        advance();
                    return;
                }
            } else if (token_.kind == LuaToken::Kind::sign) {
                if (is_sign("(") || is_sign("{") || is_sign("[")) ++brackets;
                if ((is_sign(")") || is_sign("}") || is_sign("]")) && brackets > 0) --brackets;
                follows_ = is_sign("=") || is_sign(",");
            }
            advance();
        }
    }
    // The rest of a statement that is not understood, with its brackets and functions.
    void skip_line(const LuaToken& first) {
        if (token_.from == first.from) advance();
        follows_ = false;
        unsigned brackets = 0;
        int line = first.line;
        while (token_.kind != LuaToken::Kind::end && !out_.failure) {
            if (brackets == 0 && token_.line != line && open_ == 0) return;
            if (is_word("function") || is_word("if") || is_word("for") || is_word("while")) {
                skip_block();
                line = std::max(line, token_.line);
                continue;
            }
            if (is_sign("(") || is_sign("{") || is_sign("[")) ++brackets;
            if (is_sign(")") || is_sign("}") || is_sign("]")) {
                if (brackets > 0) {
                    --brackets;
                } else if (open_ > 0) {
                    --open_;
                }
                line = token_.line;
            }
            advance();
        }
    }

    // ---- statements

    static bool is_of_kresd(const LuaStatement& statement) {
        constexpr std::array<std::string_view, 17> kRoots{
            "net",       "cache",   "modules",    "policy",  "trust_anchors", "hints",
            "user",      "view",    "dns64",      "nsid",    "option",        "http",
            "log_level", "verbose", "log_target", "prefill", "predict"};
        const std::string& name =
            statement.target.empty() ? statement.value.text : statement.target;
        const std::string root = name.substr(0, name.find_first_of(".:["));
        return std::ranges::find(kRoots, root) != kRoots.end();
    }

    // Nothing: it has another form; then `open_` counts the brackets that are open.
    std::optional<LuaStatement> read_statement() {
        open_ = 0;
        LuaStatement out;
        out.line = token_.line;
        out.text = line_from(token_.from);
        if (token_.kind != LuaToken::Kind::name) return std::nullopt;
        auto left = read_name(0);
        if (!left) return std::nullopt;
        if (take_sign("=")) {
            if (left->kind != LuaValue::Kind::name) return std::nullopt;
            out.target = left->text;
            auto value = read_value(0);
            if (!value) return std::nullopt;
            out.value = std::move(*value);
        } else if (left->kind == LuaValue::Kind::call) {
            out.value = std::move(*left);
        } else {
            return std::nullopt;
        }
        return out;
    }

    // ---- values

    std::optional<LuaValue> read_value(unsigned depth) {
        auto left = read_factor(depth);
        while (left && (is_sign("*") || is_sign("+") || is_sign("-") || is_sign("/"))) {
            const char sign = token_.text.front();
            advance();
            const auto right = read_factor(depth);
            if (!right || !left->is_number() || !right->is_number()) return std::nullopt;
            const double a = left->number, b = right->number;
            left->number = sign == '*' ? a * b : sign == '+' ? a + b : sign == '-' ? a - b : a / b;
            if (!std::isfinite(left->number)) return std::nullopt;
        }
        const bool is_more =
            is_sign("..") || is_sign("==") || is_sign("~=") || is_word("and") || is_word("or");
        return is_more ? std::nullopt : std::move(left);
    }

    std::optional<LuaValue> read_factor(unsigned depth) {
        if (depth > kDeepestValue) return std::nullopt;
        LuaValue out;
        if (token_.kind == LuaToken::Kind::text) {
            out.kind = LuaValue::Kind::text;
            out.text = token_.text;
            advance();
            return out;
        }
        if (token_.kind == LuaToken::Kind::number) {
            char* end = nullptr;
            out.kind = LuaValue::Kind::number;
            out.number = std::strtod(token_.text.c_str(), &end);
            if (*end != '\0' || !std::isfinite(out.number)) return std::nullopt;
            advance();
            return out;
        }
        if (is_sign("{")) return read_table(depth);
        if (token_.kind == LuaToken::Kind::name && token_.text != "function" &&
            token_.text != "not")
            return read_name(depth);
        return std::nullopt;
    }

    // "a.b:c", "a[INDEX]", and calls of these.
    std::optional<LuaValue> read_name(unsigned depth) {
        LuaValue out;
        out.kind = LuaValue::Kind::name;
        out.text = token_.text;
        advance();
        for (const auto& [name, number] : kLuaNumbers) {
            if (out.text != name) continue;
            out.kind = LuaValue::Kind::number;
            out.number = number;
            return out;
        }
        while (is_sign(".") || is_sign(":") || is_sign("[")) {
            const std::string sign = token_.text;
            advance();
            if (sign == "[") {
                ++open_;
                const auto index = read_value(depth + 1);
                if (!index || !index->is_text() || !is_sign("]")) return std::nullopt;
                out.text += "[" + index->text + "]";
                --open_;
            } else {
                if (token_.kind != LuaToken::Kind::name) return std::nullopt;
                out.text += sign + token_.text;
            }
            advance();
        }
        if (out.text == "true" || out.text == "false") out.number = out.text == "true" ? 1 : 0;
        if (token_.kind == LuaToken::Kind::text || is_sign("{")) {
            auto argument = read_factor(depth + 1);
            if (!argument) return std::nullopt;
            out.kind = LuaValue::Kind::call;
            out.items.push_back(std::move(*argument));
        } else if (is_sign("(")) {
            if (!read_arguments(out, depth)) return std::nullopt;
        }
        // The result of a call is not known.
        const bool is_chain = is_sign("(") || is_sign(".") || is_sign(":") || is_sign("[");
        return is_chain && out.kind == LuaValue::Kind::call ? std::nullopt
                                                            : std::optional(std::move(out));
    }

    bool read_arguments(LuaValue& out, unsigned depth) {
        out.kind = LuaValue::Kind::call;
        ++open_;
        advance();
        while (!is_sign(")")) {
            auto argument = read_value(depth + 1);
            if (!argument) return false;
            out.items.push_back(std::move(*argument));
            if (!is_sign(")") && !take_sign(",")) return false;
        }
        --open_;
        advance();
        return true;
    }

    std::optional<LuaValue> read_table(unsigned depth) {
        LuaValue out;
        out.kind = LuaValue::Kind::table;
        ++open_;
        advance();
        while (!is_sign("}")) {
            std::string key;
            bool has_key = false;
            if (take_sign("[")) {
                ++open_;
                const auto index = read_value(depth + 1);
                if (!index || !is_sign("]")) return std::nullopt;
                --open_;
                advance();
                if (!take_sign("=")) return std::nullopt;
                key = index->text;
                has_key = true;
            }
            auto value = read_value(depth + 1);
            if (!value) return std::nullopt;
            if (!has_key && value->kind == LuaValue::Kind::name && take_sign("=")) {
                key = value->text;
                has_key = true;
                value = read_value(depth + 1);
                if (!value) return std::nullopt;
            }
            if (has_key) {
                out.entries.push_back({key, std::move(*value)});
            } else {
                out.items.push_back(std::move(*value));
            }
            if (!is_sign("}") && !take_sign(",") && !take_sign(";")) return std::nullopt;
        }
        --open_;
        advance();
        return out;
    }

    std::string_view text_;
    LuaScanner scanner_;
    LuaToken token_;
    KresdFile out_;
    unsigned open_ = 0;  // brackets, within a statement
    bool follows_ = false;
};

}  // namespace

const LuaValue* LuaValue::find(std::string_view key) const {
    for (const auto& [name, value] : entries) {
        if (name == key) return &value;
    }
    return nullptr;
}

KresdFile read_kresd(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    KresdFile out;
    if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
        const auto lines = std::ranges::count(text.substr(0, zero), '\n');
        out.failure = Failure{1 + static_cast<int>(lines), "is not text: it has a zero byte"};
        return out;
    }
    return KresdReader(text).read();
}

}  // namespace steer::importing
