// Collects the mistakes in a configuration: all mistakes, not only the first, each once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "matchers/result.h"

namespace steer::config {

class Report {
  public:
    // `file`: the configuration's name, for reports without a file.
    explicit Report(std::string file) : file_(std::move(file)) {}

    // Lines of the configuration from here on may be those of `file`: the first included file is
    // source 1 (Settings::included).
    void add_source(std::string file) { included_.push_back(std::move(file)); }
    // "line 7", or "FILE:7" in an included file.
    [[nodiscard]] std::string place(int line) const;

    void error(int line, std::string text) { error_in(file_, line, std::move(text)); }
    void warn(int line, std::string text) { warn_in(file_, line, std::move(text)); }
    // An error about a name that this version does not know. `what`: "key 'siz' in ...".
    void unknown(int line, const std::string& what);
    void error_in(const std::string& file, int line, std::string text);
    void warn_in(const std::string& file, int line, std::string text);

    [[nodiscard]] bool has_unknown_names() const { return has_unknown_names_; }
    [[nodiscard]] std::size_t error_count() const { return errors_.size(); }
    [[nodiscard]] const std::string& file() const { return file_; }

    // The collected errors: those of the configuration by line, then those of the included files by
    // line, then those of other files. Leaves the report empty.
    std::vector<Error> take_errors();
    std::vector<Error> take_warnings();

  private:
    void add(std::vector<Error>& to, const std::string& file, int line, std::string text) const;
    std::vector<Error> take(std::vector<Error>& from) const;

    std::string file_;
    std::vector<std::string> included_;
    std::vector<Error> errors_, warnings_;
    bool has_unknown_names_ = false;
};

// ": did you mean 'size'?" for the candidate with the fewest edits; empty if no candidate is
// similar.
std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& candidates);

}  // namespace steer::config
