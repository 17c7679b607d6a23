#include "tools/import/corefile.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::size_t kMaxTokens = 100'000;
constexpr unsigned kDeepest = 16;

struct CoreToken {
    std::string text;
    int line = 0;
    bool is_quoted = false;
    [[nodiscard]] bool is(char brace) const {
        return !is_quoted && text.size() == 1 && text.front() == brace;
    }
};

// Words; `#` at a word's beginning starts a comment.
class Lexer {
  public:
    Lexer(std::string_view text, const Environment& environment, Corefile& out)
        : text_(text), environment_(environment), out_(out) {
        if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    }

    std::vector<CoreToken> read() {
        std::vector<CoreToken> tokens;
        while (skip() && !out_.failure) {
            if (tokens.size() == kMaxTokens) {
                out_.failure = Failure{line_, "has more than 100000 words"};
                break;
            }
            tokens.push_back(text_[at_] == '"' ? quoted_word() : plain_word());
        }
        return tokens;
    }

  private:
    char take() {
        const char c = text_[at_++];
        if (c == '\n') ++line_;
        return c;
    }

    // To the next word; false: there is none.
    bool skip() {
        while (at_ < text_.size()) {
            if (text_[at_] == '\0') {
                out_.failure = Failure{line_, "is not text: it has a zero byte"};
                return false;
            }
            if (text_[at_] == '#') {
                while (at_ < text_.size() && text_[at_] != '\n')
                    take();
            } else if (is_blank(text_[at_])) {
                take();
            } else {
                return true;
            }
        }
        return false;
    }

    CoreToken quoted_word() {
        CoreToken token{{}, line_, true};
        take();
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') take();
            token.text += take();
        }
        if (at_ == text_.size()) {
            out_.failure = Failure{token.line, "the quote that begins here is not closed"};
        } else {
            take();
        }
        token.text = with_variables(token.text, token.line);
        return token;
    }

    CoreToken plain_word() {
        CoreToken token{{}, line_};
        while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '\0')
            token.text += take();
        token.text = with_variables(token.text, token.line);
        return token;
    }

    // {$NAME}, {$NAME:default}, {%NAME%}
    std::string with_variables(std::string text, int line) {
        for (const auto& [open, close] : {std::pair{"{$", "}"}, std::pair{"{%", "%}"}}) {
            for (std::size_t at = text.find(open); at != std::string::npos;
                 at = text.find(open, at)) {
                const std::size_t end = text.find(close, at);
                if (end == std::string::npos) break;
                const std::string inside = text.substr(at + 2, end - at - 2);
                const std::string value = value_of(inside, line);
                text.replace(at, end + std::string_view(close).size() - at, value);
                at += value.size();
            }
        }
        return text;
    }

    std::string value_of(const std::string& inside, int line) {
        const auto colon = inside.find(':');
        const std::string name = inside.substr(0, colon);
        if (auto value = environment_(name)) return *std::move(value);
        if (colon != std::string::npos) return inside.substr(colon + 1);
        out_.notes.push_back({line_place(line), "the environment variable " + in_quotes(name) +
                                                    " is not set: read as empty, as CoreDNS does"});
        return {};
    }

    std::string_view text_;
    const Environment& environment_;
    Corefile& out_;
    std::size_t at_ = 0;
    int line_ = 1;
};

using Snippets = std::map<std::string, std::vector<Directive>>;

class Parser {
  public:
    Parser(std::vector<CoreToken> tokens, Corefile& out) : tokens_(std::move(tokens)), out_(out) {}

    void parse() {
        while (at_ < tokens_.size() && !out_.failure)
            block();
    }

  private:
    void fail(int line, std::string text) {
        if (!out_.failure) out_.failure = Failure{line, std::move(text)};
        at_ = tokens_.size();
    }
    [[nodiscard]] int last_line() const { return tokens_.back().line; }

    // KEY... { DIRECTIVE... }; the only block of a file may be without braces.
    void block() {
        ServerBlock block;
        block.line = tokens_[at_].line;
        int line = block.line;
        bool goes_on = true;  // behind a comma the keys go on in the next line
        while (at_ < tokens_.size() && !tokens_[at_].is('{')) {
            if (tokens_[at_].line != line && !goes_on) break;
            line = tokens_[at_].line;
            goes_on = tokens_[at_].text.ends_with(',');
            for (const std::string& key : split(tokens_[at_].text, ','))
                block.keys.push_back(key);
            ++at_;
        }
        const bool has_braces = at_ < tokens_.size() && tokens_[at_].is('{');
        if (!has_braces && !out_.blocks.empty())
            return fail(block.line, "expected '{' after " + in_quotes(join(block.keys, " ")));
        if (block.keys.empty()) return fail(block.line, "a zone is missing before '{'");
        if (has_braces) ++at_;
        block.body = body(block.line, has_braces, 0);
        const std::string& first = block.keys.front();
        if (first.size() > 2 && first.front() == '(' && first.back() == ')') {
            snippets_[first.substr(1, first.size() - 2)] = std::move(block.body);
        } else {
            out_.blocks.push_back(std::move(block));
        }
    }

    std::vector<Directive> body(int began, bool has_braces, unsigned depth) {
        std::vector<Directive> out;
        if (depth > kDeepest) fail(began, "braces are nested more than 16 deep");
        while (at_ < tokens_.size() && !tokens_[at_].is('}')) {
            Directive d;
            d.line = tokens_[at_].line;
            d.name = tokens_[at_++].text;
            while (at_ < tokens_.size() && tokens_[at_].line == d.line && !tokens_[at_].is('{') &&
                   !tokens_[at_].is('}'))
                d.args.push_back(tokens_[at_++].text);
            if (at_ < tokens_.size() && tokens_[at_].is('{') && tokens_[at_].line == d.line) {
                ++at_;
                d.body = body(d.line, true, depth + 1);
            }
            if (d.name == "import") {
                put_in(d, out);
            } else {
                out.push_back(std::move(d));
            }
        }
        if (out_.failure) return out;
        if (has_braces && at_ == tokens_.size()) {
            fail(last_line(), "the '{' of line " + std::to_string(began) + " has no '}'");
        } else if (has_braces) {
            ++at_;
        } else if (at_ < tokens_.size()) {
            fail(tokens_[at_].line, "'}' without '{'");
        }
        return out;
    }

    // A snippet has to stand before it is imported, so none can import itself.
    void put_in(const Directive& import, std::vector<Directive>& out) {
        const std::string name = import.args.empty() ? "" : import.args.front();
        const auto snippet = snippets_.find(name);
        if (snippet == snippets_.end()) {
            out_.notes.push_back(
                {line_place(import.line),
                 "import " + in_quotes(name) +
                     " is not imported: no earlier snippet has this name, and other "
                     "files are not read; copy their content into this file"});
            return;
        }
        if (import.args.size() > 1)
            out_.notes.push_back(
                {line_place(import.line),
                 "the arguments of import " + in_quotes(name) + " are not imported"});
        put_in_ += snippet->second.size();
        if (put_in_ > kMaxTokens) return fail(import.line, "imports more than 100000 words");
        out.insert(out.end(), snippet->second.begin(), snippet->second.end());
    }

    std::vector<CoreToken> tokens_;
    std::size_t at_ = 0, put_in_ = 0;
    Corefile& out_;
    Snippets snippets_;
};

}  // namespace

Corefile read_corefile(std::string_view text, const Environment& environment) {
    Corefile out;
    std::vector<CoreToken> tokens = Lexer(text, environment, out).read();
    if (!out.failure && tokens.empty()) out.failure = Failure{0, "has no server block"};
    if (!out.failure) Parser(std::move(tokens), out).parse();
    if (!out.failure && out.blocks.empty()) out.failure = Failure{0, "has no server block"};
    return out;
}

}  // namespace steer::importing
