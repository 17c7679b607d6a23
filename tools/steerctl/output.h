// The output of steerctl: answers to standard output, errors to standard error, both as text or as
// JSON (screen.h).
//
// Foreign text is made safe here (matchers/safe_text.h), including text of other machines that the
// daemon repeats.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "client.h"
#include "matchers/exit_codes.h"

namespace steerctl {

void print(std::string_view text);
// Prints text unchanged, for requested data: a file's content. Returns the exit code, which is not
// 0 if it cannot be written.
int print_data(std::string_view text);
void print_json(const boost::json::value& value);  // one line

// Prints pages as one object on one line, as print_json() prints the whole: its first member is the
// list with their rows. Keeps no rows.
class PrintedPages {
  public:
    explicit PrintedPages(std::string_view list) : list_(list) {}
    void add(const boost::json::object& page);
    void end();

  private:
    const std::string list_;
    boost::json::object rest_;  // the other members of the last page
    bool is_begun_ = false, has_rows_ = false;
};

// Writes "steerctl: SENTENCE", or {"error": {"code", "message", "exit_status"}} with --json.
// Returns the exit code.
int fail(steer::ErrorCode code, std::string_view sentence);
int fail(const Reply& reply);  // needs an `error`; "rpc_code" for a rejected request
int misused(std::string_view sentence);

}  // namespace steerctl
