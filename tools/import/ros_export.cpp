#include "tools/import/ros_export.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::array<std::string_view, 22> kVerbs{
    "add",    "set",   "remove",  "enable", "disable", "print",      "export", "import",
    "move",   "unset", "reset",   "find",   "edit",    "comment",    "get",    "flush",
    "reload", "pause", "monitor", "run",    "request", "make-static"};

struct RosToken {
    std::string text;
    int line = 0;
    std::size_t equals = std::string::npos;  // the first `=` outside of quotes
    bool is_expression = false, is_quoted = false;
};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Walks over the text; a `\` at the end of a line joins the next one, without its first 4 blanks.
class ExportReader {
  public:
    explicit ExportReader(std::string_view text) : text_(text) {
        if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    }

    RosExport read() {
        if (const auto zero = text_.find('\0'); zero != std::string_view::npos) {
            fail(1 + static_cast<int>(std::ranges::count(text_.substr(0, zero), '\n')),
                 "is not text: it has a zero byte");
            return std::move(out_);
        }
        while (!at_end() && !out_.failure)
            command();
        if (blocks_ > 0) fail(line_, "the brackets of a ':do' or ':if' are not closed");
        return std::move(out_);
    }

  private:
    // ---- bytes

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    char take() {
        const char c = text_[at_++];
        if (c == '\n') ++line_;
        return c;
    }
    // True if a `\` at the end of a line was stepped over.
    bool join() {
        if (peek() != '\\') return false;
        const std::size_t end = peek(1) == '\r' ? 2 : 1;
        if (peek(end) != '\n') return false;
        for (std::size_t i = 0; i <= end; ++i)
            take();
        for (int blanks = 0; blanks < 4 && peek() == ' '; ++blanks)
            take();
        return true;
    }
    void skip_line() {
        while (!at_end() && peek() != '\n')
            take();
    }
    void fail(int line, std::string text) {
        if (!out_.failure) out_.failure = Failure{line, std::move(text)};
        at_ = text_.size();
    }

    // ---- words

    void escaped(std::string& out) {
        take();  // the backslash
        constexpr std::string_view kNames = "nrtabfv_", kBytes = "\n\r\t\a\b\f\v ";
        const int high = hex_digit(peek()), low = hex_digit(peek(1));
        if (high >= 0 && low >= 0) {
            out += static_cast<char>(high * 16 + low);
            take();
            take();
        } else if (const auto name = kNames.find(peek()); name != kNames.npos && !at_end()) {
            out += kBytes[name];
            take();
        } else if (std::string_view("\"\\$?").find(peek()) != std::string_view::npos && !at_end()) {
            out += take();
        } else {
            out += '\\';  // no escape of RouterOS's: what was meant is what stands there
        }
    }

    void quoted_part(RosToken& token) {
        const int began = line_;
        take();
        token.is_quoted = true;
        while (!at_end() && peek() != '"') {
            if (join()) continue;
            if (peek() == '\\') {
                escaped(token.text);
                continue;
            }
            const char next = peek(1);
            const bool names = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
                               next == '(' || next == '[' || next == '{';
            if (peek() == '$' && names) token.is_expression = true;
            token.text += take();
        }
        if (at_end()) return fail(began, "the quote that begins here is not closed");
        take();
    }

    // [find ...], (expression), {code}: as it stands.
    void bracketed_part(RosToken& token) {
        const int began = line_;
        token.is_expression = true;
        std::string open;
        do {
            if (join()) continue;
            const char c = peek();
            if (c == '"') {
                RosToken inside;
                quoted_part(inside);
                token.text += '"' + inside.text + '"';
                continue;
            }
            if (c == '[' || c == '(' || c == '{') open += c;
            if (c == ']' || c == ')' || c == '}') open.pop_back();
            token.text += take();
        } while (!at_end() && !open.empty());
        if (!open.empty()) fail(began, "the bracket that begins here is not closed");
    }

    // Up to a blank, a `;` or the end of the line.
    RosToken word() {
        RosToken token;
        token.line = line_;
        while (!at_end()) {
            if (join()) continue;
            const char c = peek();
            if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || ends_block()) break;
            if (c == '"') {
                quoted_part(token);
            } else if (c == '[' || c == '(' || c == '{') {
                bracketed_part(token);
            } else if (c == '\\') {
                escaped(token.text);
            } else {
                if (c == '=' && token.equals == std::string::npos) token.equals = token.text.size();
                if (c == '$') token.is_expression = true;
                token.text += take();
            }
        }
        return token;
    }

    void skip_blanks() {
        while (!at_end()) {
            if (join()) continue;
            if (peek() != ' ' && peek() != '\t' && peek() != '\r') break;
            take();
        }
    }

    // ---- commands

    void header() {
        const std::size_t began = at_;
        skip_line();
        const std::string_view text = trimmed(text_.substr(began, at_ - began));
        constexpr std::string_view kBy = "by RouterOS";
        const auto by = text.find(kBy);
        if (by == std::string_view::npos || out_.has_header) return;
        out_.has_header = true;
        const std::string_view version = trimmed(text.substr(by + kBy.size()));
        out_.version = version.substr(0, version.find(' '));
    }

    void command() {
        skip_blanks();
        if (at_end()) return;
        if (peek() == '}' && blocks_ > 0) return end_block();
        if (peek() == '\n' || peek() == ';' || peek() == '}') {
            take();
            return;
        }
        if (peek() == '#') return header();
        RosStatement statement;
        statement.line = line_;
        if (enter_block()) return;
        if (peek() == ':' || peek() == '{') return script();
        std::vector<RosToken> tokens;
        for (;;) {
            skip_blanks();
            if (at_end() || peek() == '\n' || peek() == ';' || ends_block()) break;
            tokens.push_back(word());
        }
        if (!out_.failure && !tokens.empty()) finish(tokens, std::move(statement));
    }

    // ---- blocks whose commands run in any case

    [[nodiscard]] bool ends_block() const { return blocks_ > 0 && peek() == '}'; }

    void step_over(std::size_t bytes) {
        while (bytes-- > 0 && !at_end())
            take();
    }

    // `:do { add ... } on-error={}`, `:if ([:len [find ...]] = 0) do={ add ... }`: the commands
    // within are read as if they stood alone. False: it is another command, and not stepped over.
    bool enter_block() {
        const std::size_t began = at_;
        const int line = line_;
        if (text_.substr(at_).starts_with(":do ") || text_.substr(at_).starts_with(":do{")) {
            step_over(3);
        } else if (text_.substr(at_).starts_with(":if ")) {
            step_over(4);
            skip_blanks();
            RosToken condition;
            if (peek() == '(') bracketed_part(condition);
            skip_blanks();
            if (!is_none_there(condition.text) || !text_.substr(at_).starts_with("do=")) {
                at_ = began;
                line_ = line;
                return false;
            }
            step_over(3);
        } else {
            return false;
        }
        skip_blanks();
        if (out_.failure) return true;
        if (peek() != '{') {
            at_ = began;
            line_ = line;
            return false;
        }
        take();
        ++blocks_;
        return true;
    }

    // `([:len [find name=a]] = 0)`: there is no such row yet, as in an empty router.
    static bool is_none_there(std::string_view condition) {
        std::string plain;
        std::ranges::copy_if(condition, std::back_inserter(plain),
                             [](char c) { return !is_blank(c); });
        return plain.starts_with("([:len[") && plain.find("find") != std::string::npos &&
               plain.ends_with("]]=0)");
    }

    // `} on-error={ ... }`, `} else={ ... }`: what follows the block runs in the other case.
    void end_block() {
        take();
        --blocks_;
        for (;;) {
            skip_blanks();
            const std::string_view rest = text_.substr(at_);
            const std::string_view next = rest.starts_with("on-error=") ? "on-error="
                                          : rest.starts_with("else=")   ? "else="
                                          : rest.starts_with("while=")  ? "while="
                                                                        : "";
            if (next.empty()) return;
            step_over(next.size());
            RosToken skipped;
            if (peek() == '{' || peek() == '(') bracketed_part(skipped);
        }
    }

    // `:foreach ... do={...}`, `{`: what a script does is not known without running it. Within a block it ends as a command.
    void script() {
        const int line = line_;
        RosToken what;
        while (!at_end() && peek() != '\n' && !out_.failure) {
            if (join()) continue;
            if (ends_block() || (blocks_ > 0 && peek() == ';')) break;
            if (peek() == '"') {
                quoted_part(what);
            } else if (peek() == '[' || peek() == '(' || peek() == '{') {
                bracketed_part(what);
            } else {
                what.text += take();
            }
        }
        if (out_.failure) return;
        out_.notes.push_back({line_place(line), "the script " + in_quotes(trimmed(what.text)) +
                                                    " is skipped: run it on the router, "
                                                    "and import the router's /export"});
    }

    void finish(const std::vector<RosToken>& tokens, RosStatement statement) {
        const bool absolute = tokens.front().text.starts_with('/') && !tokens.front().is_quoted;
        statement.menu = absolute ? "" : menu_;
        auto token = tokens.begin();
        for (; token != tokens.end() && statement.verb.empty(); ++token) {
            if (token->equals != std::string::npos || token->is_quoted || token->is_expression)
                break;
            for (const std::string& part : split(token->text, '/')) {
                if (std::ranges::find(kVerbs, part) != kVerbs.end()) {
                    statement.verb = part;
                    break;
                }
                statement.menu += '/' + part;
            }
        }
        if (statement.verb.empty() && token == tokens.end()) {
            menu_ = statement.menu;
            return;
        }
        for (; token != tokens.end(); ++token) {
            if (token->equals == std::string::npos) {
                statement.words.push_back(token->text);
            } else {
                statement.values.push_back({token->text.substr(0, token->equals),
                                            token->text.substr(token->equals + 1), token->line,
                                            token->is_expression});
            }
        }
        out_.statements.push_back(std::move(statement));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int line_ = 1;
    int blocks_ = 0;  // that are open
    std::string menu_;
    RosExport out_;
};

}  // namespace

RosExport read_ros_export(std::string_view text) {
    return ExportReader(text).read();
}

}  // namespace steer::importing
