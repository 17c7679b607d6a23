#include "tools/import/policy_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "matchers/safe_text.h"
#include "tools/import/sheet.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::size_t kMaxLevels = 100, kLineWidth = 96;

class TreeReader {
  public:
    Tree read(const YAML::Node& node, std::size_t level) {
        Tree out;
        out.line = std::max(node.Mark().line + 1, 0);
        if (++nodes_ > kMaxNodes) return fail(out, "has too many YAML nodes");
        if (level > kMaxLevels) return fail(out, "has too many levels of YAML");
        if (node.IsScalar()) {
            out.kind = Tree::Kind::text;
            out.text = to_utf8(node.Scalar());
        } else if (node.IsSequence()) {
            out.kind = Tree::Kind::list;
            for (const auto& item : node) {
                if (failure) break;
                out.items.push_back(read(item, level + 1));
            }
        } else if (node.IsMap()) {
            out.kind = Tree::Kind::map;
            for (const auto& entry : node) {
                if (failure) break;
                if (!entry.first.IsScalar()) return fail(out, "has a key that is not text");
                out.entries.emplace_back(to_utf8(entry.first.Scalar()),
                                         read(entry.second, level + 1));
            }
        }
        return out;
    }
    std::optional<Failure> failure;

  private:
    Tree fail(const Tree& at, std::string text) {
        if (!failure) failure = Failure{at.line, std::move(text)};
        return {};
    }
    std::size_t nodes_ = 0;
};

class NoEvents final : public YAML::EventHandler {
  public:
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

// YAML::LoadAll() does not end if a line begins with a comma.
bool has_one_document(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    NoEvents events;
    return parser.HandleNextDocument(events) && !parser.HandleNextDocument(events);
}

class TreeWriter {
  public:
    explicit TreeWriter(bool placeholders) : placeholders_(placeholders) {}

    void lines(const Tree& tree, std::size_t indent) {
        if (tree.is_map()) {
            for (const auto& [key, value] : tree.entries)
                entry(key, value, indent);
        } else if (tree.is_list()) {
            for (const Tree& item : tree.items)
                list_item(item, indent);
        }
    }
    std::string out;

  private:
    // What YAML reads as this text, or as true and false, without quotes.
    static bool is_plain(std::string_view text) {
        if (text == "true" || text == "false") return true;
        const auto fits = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-' || c == '.' || c == '/';
        };
        return text.size() > 1 && (text.front() == '$' || text.front() == '/') &&
               std::ranges::all_of(text.substr(1), fits);
    }

    std::string word(std::string_view text) const {
        if (is_plain(text)) return std::string(text);
        std::string made = scalar(text);
        if (!placeholders_) return made;
        for (std::size_t at = made.find("$${"); at != std::string::npos;
             at = made.find("$${", at + 2))
            made.erase(at, 1);
        return made;
    }

    // In one line; empty: it is too long for that, or holds more than texts.
    std::string flow(const Tree& tree, bool nested) const {
        if (tree.kind == Tree::Kind::nothing) return "\"\"";
        if (tree.is_text()) return word(tree.text);
        if (tree.is_list() && tree.items.empty()) return "[]";
        if (tree.is_map() && tree.entries.empty()) return "{}";
        if (nested && tree.is_map()) return {};
        std::string made;
        for (const Tree& item : tree.items) {
            const std::string one = item.is_text() ? flow(item, true) : std::string();
            if (one.empty()) return {};
            made += (made.empty() ? "" : ", ") + one;
        }
        for (const auto& [key, value] : tree.entries) {
            const std::string one = flow(value, true);
            if (one.empty()) return {};
            made += (made.empty() ? "" : ", ") + word(key) + ": " + one;
        }
        return tree.is_list() ? "[" + made + "]" : "{ " + made + " }";
    }

    void entry(const std::string& key, const Tree& value, std::size_t indent) {
        const std::string begin = std::string(indent, ' ') + word(key) + ":";
        const std::string one = value.is_map() && !value.entries.empty() ? "" : flow(value, true);
        if (value.is_text() || (!one.empty() && begin.size() + one.size() < kLineWidth)) {
            out += begin + " " + one + "\n";
            return;
        }
        out += begin + "\n";
        lines(value, indent + 2);
    }

    void list_item(const Tree& item, std::size_t indent) {
        const std::string begin = std::string(indent, ' ') + "- ";
        const std::string one = flow(item, false);
        if (item.is_text() || (!one.empty() && begin.size() + one.size() < kLineWidth)) {
            out += begin + one + "\n";
            return;
        }
        const std::size_t at = out.size();
        lines(item, indent + 2);
        out.replace(at, begin.size(), begin);
    }

    bool placeholders_;
};

}  // namespace

Tree Tree::of(std::string_view text) {
    Tree out;
    out.kind = Kind::text;
    out.text = text;
    return out;
}

bool Tree::is_empty() const {
    return kind == Kind::nothing || (is_text() && text.empty()) || (is_list() && items.empty()) ||
           (is_map() && entries.empty());
}

Tree* Tree::find(std::string_view key) {
    const auto at = std::ranges::find_if(entries, [&](const auto& e) { return e.first == key; });
    return at == entries.end() ? nullptr : &at->second;
}

const Tree* Tree::find(std::string_view key) const {
    const auto at = std::ranges::find_if(entries, [&](const auto& e) { return e.first == key; });
    return at == entries.end() ? nullptr : &at->second;
}

std::string_view Tree::get(std::string_view key) const {
    const Tree* const at = find(key);
    return at == nullptr ? std::string_view{} : std::string_view{at->text};
}

void Tree::set(std::string_view key, Tree value) {
    if (Tree* const at = find(key)) {
        *at = std::move(value);
    } else {
        kind = Kind::map;
        entries.emplace_back(key, std::move(value));
    }
}

void Tree::remove(std::string_view key) {
    std::erase_if(entries, [&](const auto& e) { return e.first == key; });
}

std::variant<Tree, Failure> read_tree(std::string_view yaml) {
    try {
        const std::string text(yaml);
        if (!has_one_document(text))
            return Failure{0, "has several YAML documents, or none: expected one"};
        TreeReader reader;
        Tree tree = reader.read(YAML::Load(text), 0);
        if (reader.failure) return *reader.failure;
        return tree;
    } catch (const YAML::Exception& e) {
        return Failure{std::max(e.mark.line + 1, 0), "is not YAML: " + safe_text(to_utf8(e.msg))};
    }
}

std::string write_tree(const Tree& tree, std::size_t indent, bool placeholders) {
    TreeWriter writer(placeholders);
    writer.lines(tree, indent);
    return writer.out;
}

}  // namespace steer::importing
