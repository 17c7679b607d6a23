// A file of a folder that is imported as a whole.
#pragma once

#include <string>

namespace steer::importing {

struct FolderFile {
    std::string name;  // without folders: "custom.list"
    std::string text;  // empty if the import does not read it
    std::string path;  // below the folder that is imported; empty: the file itself is
    std::string absolute = {};
};

}  // namespace steer::importing
