#: row = 13
#: says = "ships modules called json, numpy, keras and pytest"
#: control = "harness"
#: notebook = true
print("the work itself does nothing")
