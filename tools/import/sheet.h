// The configuration that an import writes: YAML with comments, from top to bottom.
//
// A text is quoted wherever YAML or our placeholders (`${...}`) could read it differently. A note
// is a comment at its place; `noted()` returns all notes in order.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

// Returns a text as a YAML scalar that is also valid within a flow map or list.
std::string scalar(std::string_view text);
// Returns "[a, b]".
std::string flow_list(const std::vector<std::string>& texts);

// Writes { key: value, ... } in the order of add().
class Flow {
  public:
    Flow& add(std::string_view key, std::string_view text);
    // Adds `yaml` unchanged.
    Flow& add_yaml(std::string_view key, std::string_view yaml);
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

class Sheet {
  public:
    void blank();
    void line(std::string_view text);
    // Writes a wrapped comment; control characters become blanks.
    void comment(std::string_view text);
    void note(const Note& note);
    void note(std::string_view place, std::string_view text);
    void notes(const std::vector<Note>& all);

    // Writes a line and indents the following ones until close().
    void open(std::string_view text);
    void close() { --depth_; }
    // Writes `- tag: TAG`, its type, and an open `args:`.
    void open_plugin(std::string_view tag, std::string_view type);
    void close_plugin();
    // key: text
    void key(std::string_view key, std::string_view text);

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] const std::vector<Note>& noted() const { return noted_; }

  private:
    std::string text_;
    std::vector<Note> noted_;
    std::size_t depth_ = 0;
};

}  // namespace steer::importing
