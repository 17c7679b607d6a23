#include "control/config/document_text.h"

#include "matchers/yaml_scalar.h"

namespace steer::config {
namespace {

constexpr std::size_t kStep = 2;

// What may stand behind "key:" or "-" in the same line; empty: the node needs lines of its own.
std::string in_line(const Node& node) {
    switch (node.kind) {
        case Node::Kind::null:
            return "~";
        case Node::Kind::text:
            return yaml_scalar_with_placeholders(node.text);
        case Node::Kind::list:
            return node.items.empty() ? "[]" : "";
        case Node::Kind::map:
            return node.entries.empty() ? "{}" : "";
    }
    return "~";
}

void write(std::string& out, const Node& node, std::size_t indent, bool is_begun);

// `is_begun`: the first line already has its indentation.
void write_map(std::string& out, const Node& map, std::size_t indent, bool is_begun) {
    for (const Entry& entry : map.entries) {
        if (!is_begun) out.append(indent, ' ');
        is_begun = false;
        out += yaml_scalar_with_placeholders(entry.key) + ":";
        if (const std::string text = in_line(entry.value); !text.empty()) {
            out += " " + text + "\n";
        } else {
            out += "\n";
            write(out, entry.value, indent + kStep, false);
        }
    }
}

void write_list(std::string& out, const Node& list, std::size_t indent, bool is_begun) {
    for (const Node& item : list.items) {
        if (!is_begun) out.append(indent, ' ');
        is_begun = false;
        out += "- ";
        if (const std::string text = in_line(item); !text.empty()) {
            out += text + "\n";
        } else {
            write(out, item, indent + kStep, true);
        }
    }
}

void write(std::string& out, const Node& node, std::size_t indent, bool is_begun) {
    if (node.is_map()) {
        write_map(out, node, indent, is_begun);
    } else {
        write_list(out, node, indent, is_begun);
    }
}

}  // namespace

std::string yaml_of(const Node& node) {
    std::string out = in_line(node);
    if (!out.empty()) return out + "\n";
    write(out, node, 0, false);
    return out;
}

}  // namespace steer::config
