// The records of a `static` plugin that imports collect, and the checks for impossible ones.
#pragma once

#include <string>
#include <vector>

#include "tools/import/note.h"
#include "tools/import/sheet.h"

namespace steer::importing {

struct Record {
    enum class Owner : std::uint8_t { name, subdomains, expression };
    Owner owner = Owner::name;
    std::string name;   // lower case, without a last dot; or the expression
    std::string place;  // where it is in the input
    std::string type;   // as in the configuration; empty: by the address
    std::string alias;  // target of a CNAME
    Flow data;          // the keys after name and type
    bool disabled = false;
    bool asks_forwarder = false;  // a FWD with its own servers
    std::vector<Note> notes;
};

// Removes the records that form a circle; returns a note for each.
std::vector<Note> drop_circles(std::vector<Record>& records);

// Writes `- tag: TAG` with all records; nothing if there are none. `cache` ("$TAG", or empty: none)
// keeps the answers of forwarders. `with_ptr`: addresses of names get PTR records.
void write_records(Sheet& sheet, const std::string& tag, const std::vector<Record>& records,
                   const std::string& cache, bool with_ptr = true);

// Returns why Hyperscan does not support the expression (POSIX); empty if it does.
std::string expression_error(const std::string& expression);

}  // namespace steer::importing
