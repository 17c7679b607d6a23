#include "control/config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/node/node.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "control/config/settings.h"
#include "matchers/safe_text.h"
#include "matchers/utf8.h"

namespace steer::config {
namespace {

// Ends the parse: the sentence is what the report gets.
struct Refused {
    int line;
    std::string text;
};

int line_at(int from_zero, int before) {
    return before + (from_zero < 0 ? 0 : std::min(from_zero + 1, kLinesPerSource - 1));
}
int line_of(const YAML::Mark& mark, int before) {
    return line_at(mark.line, before);
}

// Builds the tree from the parser's events. Open collections are a stack of nodes that move into
// their parent when they close.
class TreeBuilder final : public YAML::EventHandler {
  public:
    explicit TreeBuilder(int before) : before_(before) {}
    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (anchor != YAML::NullAnchor) {
            throw Refused{line_of(mark), "YAML reads '&" + anchor_name_ +
                                             "' as an anchor: put it in quotes if it is text"};
        }
        place(make(Node::Kind::null, mark), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end())
            throw Refused{line_of(mark), "an alias refers to its own container"};
        nodes_ += count(known->second);
        check_budget(mark);
        place(Node(known->second), YAML::NullAnchor);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_type_mark(mark, tag);
        Node node = make(Node::Kind::text, mark);
        node.text = value;
        place(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        refuse_type_mark(mark, tag);
        open(make(Node::Kind::list, mark), anchor, mark);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        refuse_type_mark(mark, tag);
        open(make(Node::Kind::map, mark), anchor, mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }
    void OnAnchor(const YAML::Mark& /*mark*/, const std::string& name) override {
        anchor_name_ = name;
    }

  private:
    [[nodiscard]] int line_of(const YAML::Mark& mark) const {
        return config::line_of(mark, before_);
    }

    struct Open {
        Node node;
        YAML::anchor_t anchor;
        bool key_read = false;  // of a map: the next node is the value of `key`
        std::string key;
        int key_line = 0;
        std::set<std::string> keys;
    };

    static std::size_t count(const Node& node) {
        std::size_t n = 1;
        for (const Node& item : node.items)
            n += count(item);
        for (const Entry& entry : node.entries)
            n += 1 + count(entry.value);
        return n;
    }

    void refuse_type_mark(const YAML::Mark& mark, const std::string& tag) const {
        const bool plain =
            tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
        if (!plain) {
            throw Refused{line_of(mark),
                          "YAML reads '" + tag +
                              "' as a type tag: put the whole text in quotes, as in \"!$tag\""};
        }
    }

    [[noreturn]] static void refuse_size(int line) {
        throw Refused{line, "the configuration has more than " + std::to_string(kMaxNodes) +
                                " entries, aliases included: move rules into files"};
    }
    void check_budget(const YAML::Mark& mark) const {
        if (nodes_ > kMaxNodes) refuse_size(line_of(mark));
    }

    Node make(Node::Kind kind, const YAML::Mark& mark) {
        ++nodes_;
        check_budget(mark);
        Node node;
        node.kind = kind;
        node.line = line_of(mark);
        return node;
    }

    void open(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
        if (open_.size() >= kMaxDepth) {
            throw Refused{line_of(mark), "lists and maps are nested more than " +
                                             std::to_string(kMaxDepth) + " levels deep"};
        }
        if (!open_.empty() && open_.back().node.is_map() && !open_.back().key_read) {
            throw Refused{line_of(mark), "a key must be text, found " + std::string(node.what()) +
                                             ": is a quote, a bracket or a colon missing?"};
        }
        open_.push_back({std::move(node), anchor, false, {}, 0, {}});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        place(std::move(done.node), done.anchor);
    }

    void place(Node node, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) {
            nodes_ += count(node);
            if (nodes_ > kMaxNodes) refuse_size(node.line);
            anchors_[anchor] = node;
        }
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.is_list()) {
            parent.node.items.push_back(std::move(node));
        } else if (!parent.key_read) {
            read_key(parent, std::move(node));
        } else {
            parent.node.entries.push_back(
                {std::move(parent.key), parent.key_line, std::move(node)});
            parent.key_read = false;
        }
    }

    static void read_key(Open& map, Node node) {
        if (!node.is_text()) {
            throw Refused{node.line, "a key must be text, found " + std::string(node.what()) +
                                         ": is a quote, a bracket or a colon missing?"};
        }
        if (!map.keys.insert(node.text).second) {
            throw Refused{node.line,
                          "the key '" + node.text + "' is given twice: keep one of them"};
        }
        map.key = std::move(node.text);
        map.key_line = node.line;
        map.key_read = true;
    }

    int before_;
    Node root_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, Node> anchors_;
    std::string anchor_name_;
    std::size_t nodes_ = 0;
};

// A byte that no text has, if there is one.
std::optional<Refused> find_binary(std::string_view text, int before) {
    const bool wide = text.starts_with("\xfe\xff") || text.starts_with("\xff\xfe");
    const auto at = std::find_if(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 && c != '\t' && c != '\n' && c != '\r';
    });
    if (wide || at == text.end()) return std::nullopt;
    const auto line = static_cast<int>(std::count(text.begin(), at, '\n'));
    return Refused{line_at(line, before), "this file is not text: a byte has the value " +
                                              std::to_string(static_cast<unsigned char>(*at)) +
                                              "; check the file name"};
}

// The last line up to `last` (from 0) that is indented with a tab, if there is one.
std::optional<Refused> find_tab(std::string_view text, int last, int before) {
    std::optional<Refused> found;
    for (int line = 0; line <= last && !text.empty(); ++line) {
        const std::string_view row = text.substr(0, text.find('\n'));
        const auto first = row.find_first_not_of(" \t\r");
        if (first != row.npos && row[first] != '#' && row.substr(0, first).find('\t') != row.npos)
            found = Refused{line_at(line, before),
                            "this line is indented with a tab: use blanks, as YAML requires"};
        text.remove_prefix(std::min(row.size() + 1, text.size()));
    }
    return found;
}

// What the operator can do about it: yaml-cpp's messages about tabs and binary files are misleading.
Refused explain(const YAML::Exception& e, std::string_view text, int before) {
    if (auto binary = find_binary(text, before)) return *binary;
    if (auto tab = find_tab(text, e.mark.line, before)) return *tab;
    return {line_of(e.mark, before),
            "invalid YAML (" + safe_text(e.msg) +
                "): check indentation, brackets and quotes here and above"};
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    const auto at = std::find_if(entries.begin(), entries.end(),
                                 [key](const Entry& e) { return e.key == key; });
    return at == entries.end() ? nullptr : &at->value;
}

std::string_view Node::what() const {
    switch (kind) {
        case Kind::null:
            return "nothing";
        case Kind::text:
            return "text";
        case Kind::list:
            return "a list";
        case Kind::map:
            return "a map";
    }
    return "nothing";
}

Node parse_document(std::string_view text, Report& report, int before) {
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        TreeBuilder builder(before);
        if (!parser.HandleNextDocument(builder)) return {};
        Node root = builder.take();
        TreeBuilder second(before);
        if (parser.HandleNextDocument(second)) {
            report.error(second.take().line, "a second YAML document starts here: keep one");
            return {};
        }
        // Only a warning: a comment in another encoding does no harm.
        if (const auto wrong = find_not_utf8(text))
            report.warn(line_at(wrong->line - 1, before),
                        wrong->text() + ": save the file as UTF-8");
        return root;
    } catch (const Refused& refused) {
        report.error(refused.line, refused.text);
    } catch (const YAML::Exception& e) {
        const Refused refused = explain(e, text, before);
        report.error(refused.line, refused.text);
    }
    return {};
}

}  // namespace steer::config
