// The configuration that an import makes, as it is written: YAML with comments, top down.
//
// A text is written in quotes wherever YAML or our placeholders (`${...}`) could read something
// else into it. A note is a comment at its place; `noted()` has all notes in order.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

// A text as a YAML scalar, also within a flow map or list.
std::string scalar(std::string_view text);
// [a, b]
std::string flow_list(const std::vector<std::string>& texts);

// { key: value, ... } in the order of add().
class Flow {
  public:
    Flow& add(std::string_view key, std::string_view text);
    // `yaml`: as it is.
    Flow& add_yaml(std::string_view key, std::string_view yaml);
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

class Sheet {
  public:
    void blank();
    void line(std::string_view text);
    // Wrapped; control characters are blanks.
    void comment(std::string_view text);
    void note(const Note& note);
    void note(std::string_view place, std::string_view text);
    void notes(const std::vector<Note>& all);

    // What follows is deeper, until close().
    void open(std::string_view text);
    void close() { --depth_; }
    // `- tag: TAG`, its type, and `args:` which is open.
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
