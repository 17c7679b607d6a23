#include "tools/rossim/script_syntax.h"

#include <algorithm>
#include <set>

#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

constexpr int kMaxDepth = 60;  // of blocks, brackets and parentheses

bool is_one_of(char c, std::string_view set) {
    return c != '\0' && set.find(c) != std::string_view::npos;
}

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Value text_value(std::string text) {
    Value value;
    value.text = std::move(text);
    return value;
}

class Parser {
  public:
    Parser(std::string_view text, const ScriptMenus& menus) : text_(text), menus_(menus) {}

    std::vector<Statement> parse() {
        std::vector<Statement> statements = read_statements();
        if (!at_end()) fail("syntax error");
        return statements;
    }

  private:
    struct Place {
        std::size_t line;
        std::size_t column;
    };
    // Counts how deep a construct is.
    class Level {
      public:
        explicit Level(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > kMaxDepth) parser_.fail("syntax error");
        }
        ~Level() { --parser_.depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

      private:
        Parser& parser_;
    };

    bool at_end() const { return at_ == text_.size(); }
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    char take();
    bool take_if(char c);
    void expect(char c);
    void skip_blanks();
    void skip_lines();
    Place place() const { return {line_, column_}; }
    [[noreturn]] void fail(std::string_view what) const { fail(what, place()); }
    [[noreturn]] static void fail(std::string_view what, Place place);
    static std::string located(std::string_view what, Place place);
    bool at_statement_end() const { return at_end() || is_one_of(peek(), "\n;]}"); }

    std::vector<Statement> read_statements();
    std::vector<Statement> read_block();
    bool read_statement(Statement& statement);  // false: it only named a menu
    void read_colon_command(Statement& statement);
    void read_variable(Statement& statement, bool declares);
    void read_guarded(Statement& statement);
    bool read_call(Statement& statement);
    void enter_path(std::string_view word, Statement& statement);
    static void raise(Statement& statement, std::string_view message, Place at);
    void skip_statement();
    void refuse_unknown_arguments(Statement& statement, Place at) const;
    void read_argument(Statement& statement);

    std::string read_word(std::string_view ends);
    std::string read_name();
    Value read_value();
    Value read_quoted();
    Value read_variable_value();
    Value read_bracket();
    Value read_parentheses();
    Value read_expression(std::size_t precedence);
    Value read_operand();

    std::string_view text_;
    const ScriptMenus& menus_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t column_ = 1;
    int depth_ = 0;
    std::string context_;  // the menu of the line before
    std::vector<std::set<std::string>> scopes_{{}};
};

char Parser::take() {
    const char c = text_[at_++];
    if (c == '\n') {
        ++line_;
        column_ = 1;
    } else {
        ++column_;
    }
    return c;
}

bool Parser::take_if(char c) {
    if (at_end() || peek() != c) return false;
    take();
    return true;
}

void Parser::expect(char c) {
    if (!take_if(c)) fail("syntax error");
}

void Parser::fail(std::string_view what, Place place) {
    throw ScriptError{located(what, place)};
}

std::string Parser::located(std::string_view what, Place place) {
    return std::string(what) + " (line " + std::to_string(place.line) + " column " +
           std::to_string(place.column) + ")";
}

// A backslash at its end joins a line to the next.
void Parser::skip_blanks() {
    for (;;) {
        const std::size_t joint = peek(1) == '\r' ? 2 : 1;
        if (is_one_of(peek(), " \t\r")) {
            take();
        } else if (peek() == '\\' && peek(joint) == '\n') {
            for (std::size_t i = 0; i <= joint; ++i)
                take();
        } else {
            return;
        }
    }
}

void Parser::skip_lines() {
    for (;;) {
        skip_blanks();
        if (is_one_of(peek(), "\n;")) {
            take();
        } else if (peek() == '#') {
            while (!at_end() && peek() != '\n')
                take();
        } else {
            return;
        }
    }
}

std::vector<Statement> Parser::read_statements() {
    std::vector<Statement> statements;
    for (skip_lines(); !at_end() && peek() != '}'; skip_lines()) {
        Statement statement;
        if (read_statement(statement)) statements.push_back(std::move(statement));
        skip_blanks();
        if (!at_statement_end()) fail("expected end of command");
        if (peek() == ']') fail("syntax error");
    }
    return statements;
}

std::vector<Statement> Parser::read_block() {
    const Level level(*this);
    expect('{');
    scopes_.emplace_back();
    std::vector<Statement> statements = read_statements();
    scopes_.pop_back();
    expect('}');
    return statements;
}

bool Parser::read_statement(Statement& statement) {
    if (peek() != ':') return read_call(statement);
    read_colon_command(statement);
    return true;
}

void Parser::read_colon_command(Statement& statement) {
    const Place start = place();
    take();
    const std::string name = read_name();
    skip_blanks();
    if (name == "put") {
        statement.kind = Statement::Kind::put;
        statement.value = read_value();
    } else if (name == "local" || name == "global" || name == "set") {
        read_variable(statement, name != "set");
    } else if (name == "do") {
        read_guarded(statement);
    } else {
        skip_statement();
        raise(statement, "bad command name " + name, start);
    }
}

void Parser::read_variable(Statement& statement, bool declares) {
    const Place start = place();
    statement.kind = declares ? Statement::Kind::local : Statement::Kind::set;
    statement.variable = read_name();
    if (statement.variable.empty()) fail("syntax error");
    const bool known = std::any_of(scopes_.begin(), scopes_.end(), [&](const auto& scope) {
        return scope.contains(statement.variable);
    });
    if (!declares && !known) fail("syntax error", start);
    skip_blanks();
    if (!at_statement_end()) statement.value = read_value();
    if (declares) scopes_.back().insert(statement.variable);
}

void Parser::read_guarded(Statement& statement) {
    statement.kind = Statement::Kind::guarded;
    statement.body = read_block();
    skip_blanks();
    for (const char c : std::string_view("on-error=")) {
        expect(c);
    }
    statement.on_error = read_block();
}

// Words of the path, then arguments; `statement.menu` begins where the lines before left off.
bool Parser::read_call(Statement& statement) {
    const Place start = place();
    statement.menu = peek() == '/' ? "" : context_;
    statement.line = static_cast<int>(start.line);
    while (statement.verb.empty() && !at_statement_end()) {
        const std::string word = read_word(" \t\r\n;=[]{}()\"$\\");
        if (word.empty()) fail("syntax error");
        if (peek() == '=') fail("syntax error", start);
        enter_path(word, statement);
        skip_blanks();
    }
    if (statement.verb.empty()) {
        context_ = statement.menu;
        return false;
    }
    if (const auto refusal = menus_.refusal_of_verb(statement.menu, statement.verb);
        !refusal.empty()) {
        skip_statement();
        raise(statement, refusal, start);
        return true;
    }
    // A command in brackets is in the menu of the one around it.
    const std::string context = std::exchange(context_, statement.menu);
    for (skip_blanks(); !at_statement_end(); skip_blanks())
        read_argument(statement);
    context_ = context;
    refuse_unknown_arguments(statement, start);
    return true;
}

// Turns the statement into an error that is raised when the script reaches it.
void Parser::raise(Statement& statement, std::string_view message, Place at) {
    statement = {};
    statement.kind = Statement::Kind::raise;
    statement.value = text_value(located(message, at));
}

// To the end of the statement, over what brackets and quotes enclose.
void Parser::skip_statement() {
    int depth = 0;
    bool is_quoted = false;
    while (!at_end() && (depth > 0 || is_quoted || !at_statement_end())) {
        const char c = take();
        if (c == '\\' && !at_end()) take();
        if (c == '"') is_quoted = !is_quoted;
        if (is_quoted) continue;
        if (is_one_of(c, "[({")) ++depth;
        if (is_one_of(c, "])}")) --depth;
    }
}

void Parser::refuse_unknown_arguments(Statement& statement, Place at) const {
    if (statement.verb == "find") return;  // properties of rows
    for (const auto& [name, value] : statement.arguments) {
        if (menus_.has_argument(statement.menu, statement.verb, name)) continue;
        if (!menus_.refuses_arguments_late) fail("expected end of command", at);
        raise(statement, "expected end of command", at);
        return;
    }
}

void Parser::enter_path(std::string_view word, Statement& statement) {
    while (!word.empty()) {
        const std::size_t slash = std::min(word.find('/'), word.size());
        const std::string_view step = word.substr(0, slash);
        word.remove_prefix(std::min(slash + 1, word.size()));
        if (step.empty()) continue;
        const std::string deeper = statement.menu + "/" + std::string(step);
        if (!statement.verb.empty()) {
            const bool is_known = menus_.refusal_of_verb(statement.menu, statement.verb).empty();
            if (is_known) fail("expected end of command");
            return;
        }
        if (menus_.has_menu(deeper)) {
            statement.menu = deeper;
        } else {
            statement.verb = step;
        }
    }
}

// `name=value`, or what stands for the rows; `where` and `and` of a find say nothing.
void Parser::read_argument(Statement& statement) {
    if (is_one_of(peek(), "[$(\"*")) {
        statement.arguments.emplace_back("numbers", read_value());
        return;
    }
    const Place start = place();
    const std::string name = read_word(" \t\r\n;=[]{}()\"$\\");
    if (take_if('=')) {
        if (name.empty()) fail("syntax error", start);
        statement.arguments.emplace_back(name, read_value());
    } else if (statement.verb != "find" || (name != "where" && name != "and")) {
        fail("expected end of command", start);
    }
}

std::string Parser::read_word(std::string_view ends) {
    std::string word;
    while (!at_end() && !is_one_of(peek(), ends))
        word += take();
    return word;
}

std::string Parser::read_name() {
    std::string name;
    while (is_name(peek()))
        name += take();
    return name;
}

Value Parser::read_value() {
    switch (peek()) {
        case '"':
            return read_quoted();
        case '$':
            return read_variable_value();
        case '[':
            return read_bracket();
        case '(':
            return read_parentheses();
        default:
            return text_value(read_word(" \t\r\n;[]{}()\""));
    }
}

Value Parser::read_variable_value() {
    take();
    Value value;
    value.kind = Value::Kind::variable;
    if (take_if('"')) {
        value.text = read_word("\"\n");
        expect('"');
    } else {
        value.text = read_name();
    }
    if (value.text.empty()) fail("syntax error");
    return value;
}

Value Parser::read_quoted() {
    take();
    Value whole;
    whole.kind = Value::Kind::fold;
    std::string text;
    while (!take_if('"')) {
        if (at_end()) fail("syntax error");
        if (peek() == '$' && is_name(peek(1))) {
            whole.operands.push_back(text_value(std::exchange(text, {})));
            whole.operands.push_back(read_variable_value());
        } else if (peek() != '\\') {
            text += take();
        } else {
            take();
            const int high = hex_digit(peek());
            const int low = hex_digit(peek(1));
            if (high >= 0 && low >= 0) {
                take();
                take();
                text += static_cast<char>(high * 16 + low);
                continue;
            }
            constexpr std::string_view kEscapes = "\"\\$?nrt_";
            constexpr std::string_view kMeanings = "\"\\$?\n\r\t ";
            const std::size_t at = kEscapes.find(peek());
            if (at_end() || at == std::string_view::npos) fail("syntax error");
            take();
            text += kMeanings[at];
        }
    }
    whole.operands.push_back(text_value(std::move(text)));
    whole.text.assign(whole.operands.size() - 1, '.');
    return whole;
}

Value Parser::read_bracket() {
    const Level level(*this);
    take();
    skip_blanks();
    Value value;
    value.kind = Value::Kind::call;
    value.calls.emplace_back();
    const std::string context = context_;
    if (peek() == ':' || !read_call(value.calls[0])) fail("syntax error");
    context_ = context;
    skip_blanks();
    expect(']');
    return value;
}

Value Parser::read_parentheses() {
    const Level level(*this);
    take();
    Value value = read_expression(0);
    skip_blanks();
    expect(')');
    return value;
}

// The weakest first: joining, adding, multiplying.
Value Parser::read_expression(std::size_t precedence) {
    constexpr std::string_view kOperators[] = {".", "+-", "*"};
    if (precedence == std::size(kOperators)) return read_operand();
    Value fold;
    fold.kind = Value::Kind::fold;
    fold.operands.push_back(read_expression(precedence + 1));
    for (skip_blanks(); is_one_of(peek(), kOperators[precedence]); skip_blanks()) {
        fold.text += take();
        fold.operands.push_back(read_expression(precedence + 1));
    }
    return fold;
}

Value Parser::read_operand() {
    skip_blanks();
    if (is_one_of(peek(), "\"$[(")) return read_value();
    std::string word;
    // A point between digits is of an address.
    while (is_name(peek()) || peek() == ':' ||
           (peek() == '.' && !word.empty() && is_digit(word.back()) && is_digit(peek(1)))) {
        word += take();
    }
    if (word.empty()) fail("syntax error");
    return text_value(std::move(word));
}

}  // namespace

std::vector<Statement> parse_script(std::string_view text, const ScriptMenus& menus) {
    return Parser(text, menus).parse();
}

}  // namespace rossim
